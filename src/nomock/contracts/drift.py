"""Whether a live database is what its migrations, or the models of a code, make anew beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nomock.adapters.postgres import SQL, Connection, Identifier
from nomock.contracts.models import seen_by_models
from nomock.contracts.schema import MODELS, differences, parts_of
from nomock.stack import Postgres

if TYPE_CHECKING:  # only who has models has it
    from nomock.adapters.sqlalchemy import MetaData

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


def drift_of_models(
    postgres: Postgres, metadata: MetaData, ignored: Iterable[str] = ()
) -> tuple[list[str], int]:
    """Return how a live database differs from what models make, and of how many parts.

    An empty database beside it gets the extensions that the live one has, and the schemas that the
    models name; what else these need of a database is theirs to make.
    """
    from nomock.adapters.sqlalchemy import create_all, schemas

    with postgres.connect(autocommit=True) as connection:
        extensions = connection.execute("SELECT extname FROM pg_extension").fetchall()
        live = parts_of(connection)
    with _empty(postgres) as connection:
        for (name,) in extensions:
            extension = SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(Identifier(name))
            connection.execute(extension)
        for name in schemas(metadata):
            connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(name)))
        create_all(metadata, connection)
        seen = seen_by_models(parts_of(connection), live)
    found = differences(seen.made, seen.live, ignored, MODELS)
    return [*found], len(seen.made.keys() | seen.live.keys())


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
