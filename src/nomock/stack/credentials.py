"""The superuser of a PostgreSQL, by what its image was told when it made the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

# The official image and those made from it (PostGIS, pgvector, TimescaleDB, Supabase); Bitnami's;
# Red Hat's. Any of these names may have the suffix _FILE.
_USERS = ("POSTGRES_USER", "POSTGRESQL_USERNAME", "POSTGRESQL_USER")
_PASSWORDS = ("POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD")
_DATABASES = ("POSTGRES_DB", "POSTGRESQL_DATABASE")
# With the last two the user above is an ordinary one.
_ADMIN_PASSWORDS = ("POSTGRESQL_POSTGRES_PASSWORD", "POSTGRESQL_ADMIN_PASSWORD")
_SUPERUSER = "postgres"
_PORTS = ("PGPORT", "POSTGRESQL_PORT_NUMBER")
_DEFAULT_PORT = 5432
VARIABLES = frozenset(
    name + suffix for name in (*_USERS, *_PASSWORDS, *_ADMIN_PASSWORDS) for suffix in ("", "_FILE")
) | {"POSTGRES_HOST_AUTH_METHOD", "POSTGRES_INITDB_ARGS"}
"""The variables by which such an image is told."""

Environment = Mapping[str, str | None]


@dataclass(frozen=True)
class Credentials:
    """What it takes to connect as the superuser."""

    user: str
    password: str
    """Empty where the server asks for none."""
    dbname: str


def credentials_of(environment: Environment, read: Callable[[str], str]) -> Credentials:
    """Return the credentials of a container's environment.

    ``read`` returns the content of a file in the container, of the path that a variable names.
    The defaults are the images' own: https://github.com/docker-library/docs/tree/master/postgres
    """

    def first(names: tuple[str, ...]) -> str | None:
        for name in names:
            if value := environment.get(name):
                return value
            if path := environment.get(f"{name}_FILE"):
                return read(path).rstrip("\n")  # as the shell of the entry point does
        return None

    user = first(_USERS) or _SUPERUSER
    # The official image names the database after its user.
    dbname = first(_DATABASES) or (user if first(_USERS[:1]) else _SUPERUSER)
    if admin := first(_ADMIN_PASSWORDS):
        return Credentials(_SUPERUSER, admin, dbname)
    return Credentials(user, first(_PASSWORDS) or "", dbname)


def port_of(environment: Environment) -> int:
    """Return the port that the server of this environment listens on."""
    for name in _PORTS:
        if (value := environment.get(name)) and value.isdecimal():
            return int(value)
    return _DEFAULT_PORT
