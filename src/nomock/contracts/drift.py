"""Whether a live database is what its migrations make: these make a new one beside it, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from nomock.adapters.postgres import SQL, Connection, Identifier
from nomock.contracts.schema import differences, parts_of
from nomock.stack import Postgres

Migrate = Callable[[Connection[Any]], object]
"""Applies all migrations to the database of a connection, each statement by itself."""


def drift_of(
    postgres: Postgres, migrate: Migrate, ignored: Iterable[str] = ()
) -> tuple[list[str], int]:
    """Return how a live database differs from what its migrations make, and of how many parts.

    The migrations run in an empty database of the same server, which is gone afterwards. Raises
    EngineError where that cannot be made, and what ``migrate`` raises.
    """
    with _empty(postgres) as connection:
        migrate(connection)
        migrated = parts_of(connection)
    with postgres.connect(autocommit=True) as connection:
        live = parts_of(connection)
    return [*differences(migrated, live, ignored)], len(migrated.keys() | live.keys())


@contextmanager
def _empty(postgres: Postgres) -> Iterator[Connection[Any]]:
    dbname = f"{postgres.dbname}_nomock_drift_{uuid4().hex[:8]}"
    name = Identifier(dbname)
    with postgres.connect(autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        try:
            with postgres.on_database(dbname).connect(autocommit=True) as connection:
                yield connection
        finally:
            server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))
