"""SQLAlchemy's MetaData: makes its tables in a database.

Of Michael Bayer and others; MIT. Imported where a test hands over a MetaData, so it is there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData, create_engine
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.pool import StaticPool

from nomock.adapters.postgres import Connection
from nomock.errors import ConfigError

__all__ = ["MetaData", "create_all", "schemas"]


def create_all(metadata: MetaData, connection: Connection[Any]) -> None:
    """Make all tables of a MetaData by a connection, which stays open and the caller's.

    Raises ConfigError where SQLAlchemy is too old for psycopg 3.
    """
    try:
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool
        )
    except NoSuchModuleError as error:
        raise ConfigError(
            "this SQLAlchemy does not know psycopg 3",
            where="contracts.drift",
            seen=str(error),
            todo="pip install 'sqlalchemy>=2'",
        ) from error
    metadata.create_all(engine)


def schemas(metadata: MetaData) -> list[str]:
    """Return the schemas that its tables are in, but for the usual one."""
    return sorted({table.schema for table in metadata.tables.values() if table.schema})
