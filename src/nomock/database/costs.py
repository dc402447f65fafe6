"""What the statements of a block cost a database: the slowest, and the tables that were read whole.

By the server's own counters. Those of statements (the extension pg_stat_statements) are there at
once; those of tables are told by a session when it ends, and else once a second at the most, and
after ten seconds without a statement: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.adapters.postgres import Connection
from nomock.errors import PostgresError

_SCANS = """
    SELECT format('%I.%I', schemaname, relname), seq_scan::int8, coalesce(seq_tup_read, 0)::int8
    FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'nomock\\_%'
"""
_EXTENSION = """
    SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
    WHERE extname = 'pg_stat_statements'
        AND current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'
"""
# total_exec_time: of version 1.8, of PostgreSQL 13.
_STATEMENTS = """
    SELECT queryid::text || ' ' || userid::text, query, calls::int8, total_exec_time::float8
    FROM {schema}.pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND query NOT LIKE '%pg_stat_%'
"""


@dataclass(frozen=True)
class StatementCost:
    """What one statement cost, all its calls together."""

    text: str
    """With ``$1`` in place of values."""
    calls: int
    total_ms: float


@dataclass(frozen=True)
class SequentialScan:
    """A table that was read from its begin to its end."""

    table: str
    scans: int
    rows_read: int


class Costs:
    """What a block cost; known once it has ended."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._statements: list[StatementCost] | None = None
        self.scans: list[SequentialScan] = []
        """The tables that were read whole, the most rows first."""

    @property
    def statements(self) -> list[StatementCost]:
        """The statements of all sessions, the slowest first.

        Raises PostgresError where the server does not count them.
        """
        if self._statements is None:
            raise PostgresError(
                "the server does not count its statements",
                where=self._where,
                seen="the extension pg_stat_statements is not there, or not loaded",
                todo="start it with: -c shared_preload_libraries=pg_stat_statements, and CREATE "
                "EXTENSION pg_stat_statements; or see what ran longest: pytest --evidence-database",
            )
        return self._statements

    def add(self, connection: Connection[Any], before: Counters) -> None:
        """Look once more, and keep what is more than before."""
        after = Counters.of(connection)
        for table, (scans, rows) in after.scans.items():
            old_scans, old_rows = before.scans.get(table, (0, 0))
            if scans > old_scans:
                self.scans.append(SequentialScan(table, scans - old_scans, rows - old_rows))
        self.scans.sort(key=lambda scan: -scan.rows_read)
        if after.statements is None or before.statements is None:
            return
        found = []
        for name, (text, calls, total_ms) in after.statements.items():
            _, old_calls, old_ms = before.statements.get(name, ("", 0, 0.0))
            if calls > old_calls:
                found.append(StatementCost(text, calls - old_calls, total_ms - old_ms))
        self._statements = sorted(found, key=lambda cost: -cost.total_ms)


@dataclass(frozen=True)
class Counters:
    """The counters of a database at one moment."""

    scans: Mapping[str, tuple[int, int]]
    statements: Mapping[str, tuple[str, int, float]] | None
    """None where they are not counted."""

    @classmethod
    def of(cls, connection: Connection[Any]) -> Counters:
        """Read them over a connection that commits by itself."""
        scans = {table: (n, rows) for table, n, rows in connection.execute(_SCANS).fetchall()}
        schema = connection.execute(_EXTENSION).fetchone()
        if schema is None:
            return cls(scans, None)
        rows = connection.execute(_STATEMENTS.format(schema=schema[0])).fetchall()
        return cls(scans, {name: (text, calls, ms) for name, text, calls, ms in rows})
