"""The roles as which services connect to the database, read from their compose environment."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from nomock.errors import ConfigError
from nomock.project import ServiceConfig


@dataclass(frozen=True)
class Login:
    """A role, and what is needed to connect as it."""

    role: str
    password: str | None = None
    dbname: str | None = None


def logins_of(service: ServiceConfig) -> list[Login]:
    """Return a service's logins: those of its ``postgresql://`` URLs, and of PGUSER; often one."""
    environment = service.environment
    found = [login for value in environment.values() if value and (login := _login_of(value))]
    if user := environment.get("PGUSER"):
        found.append(Login(user, environment.get("PGPASSWORD"), environment.get("PGDATABASE")))
    return found


def roles_of(service: ServiceConfig) -> list[str]:
    """Return as which roles a service connects; raise ConfigError where it does not say so."""
    if found := logins_of(service):
        return sorted({login.role for login in found})
    raise ConfigError(
        "its environment does not say as which role it connects to the database",
        where=f"service {service.name}",
        seen=f"variables: {', '.join(service.environment) or 'none'}",
        todo="name the role itself: role=…; it is read from a postgresql:// URL, or PGUSER",
    )


def _login_of(value: str) -> Login | None:
    # postgresql+psycopg:// is SQLAlchemy's; not every value is a URL.
    if value.partition(":")[0].partition("+")[0] not in {"postgres", "postgresql"}:
        return None
    try:
        url = urlsplit(value)
    except ValueError:
        return None
    if not url.username:
        return None
    password = None if url.password is None else unquote(url.password)
    return Login(unquote(url.username), password, unquote(url.path.strip("/")) or None)
