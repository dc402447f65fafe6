"""Connections to a PostgreSQL service of the stack (psycopg 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection
from psycopg import Error as DatabaseError
from psycopg.errors import (
    ForeignKeyViolation,
    InsufficientPrivilege,
    LockNotAvailable,
    QueryCanceled,
    RestrictViolation,
)
from psycopg.sql import SQL, Identifier

from nomock.errors import EngineError

__all__ = [
    "SQL",
    "Connection",
    "DatabaseError",
    "ForeignKeyViolation",
    "Identifier",
    "InsufficientPrivilege",
    "LockNotAvailable",
    "QueryCanceled",
    "RestrictViolation",
    "connect",
    "is_starting",
    "take_role",
]


def connect(
    service: str, address: tuple[str, int], *, dbname: str, user: str, password: str, **options: Any
) -> Connection[Any]:
    """Open a connection to (host, port); ``options`` are psycopg's own.

    Raises EngineError with PostgreSQL's own words where it refuses.
    """
    options = {"connect_timeout": 10, **options}
    try:
        return psycopg.connect(
            host=address[0],
            port=address[1],
            dbname=dbname,
            user=user,
            password=password,
            **options,
        )
    except psycopg.OperationalError as error:
        raise EngineError(
            f"no connection to database {dbname!r} as {user!r}",
            where=f"service {service}",
            seen=str(error).strip(),
            todo=f"nomock logs {service}",
        ) from error


def is_starting(address: tuple[str, int]) -> bool:
    """Tell whether a server answers that it lets nobody in yet; needs no credentials (PQping)."""
    from psycopg.pq import PGconn, Ping

    host, port = address
    at = f"host={host} port={port} sslmode=disable gssencmode=disable connect_timeout=2"
    return PGconn.ping(f"{at} dbname=postgres user=postgres".encode()) == Ping.REJECT


def take_role(connection: Connection[Any], role: str | None, settings: Mapping[str, str]) -> None:
    """Let a connection that commits by itself be a role's, None for who it is, with settings."""
    if role is not None:
        connection.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(role)))
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
