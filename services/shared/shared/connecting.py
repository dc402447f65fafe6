"""Connections to PostgreSQL that, when they are given up, are gone at once.

psycopg 3.3 leaves one that took too long open until Python collects cycles, which an idle service
may not do for minutes: the error that it raises holds, by its traceback, what held the connection.
PostgreSQL, which may have let it in already, counts it until then.
"""

from typing import Any, Self

import psycopg
from psycopg.rows import DictRow


class AsyncConnection(psycopg.AsyncConnection[DictRow]):
    """A connection for a pool."""

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connect; raises psycopg.OperationalError."""
        try:
            return await super().connect(conninfo, **options)
        except psycopg.OperationalError as error:
            raise error.with_traceback(None) from None


def connect(conninfo: str, **options: Any) -> psycopg.Connection:
    """Connect; raises psycopg.OperationalError."""
    try:
        return psycopg.connect(conninfo, **options)
    except psycopg.OperationalError as error:
        raise error.with_traceback(None) from None
