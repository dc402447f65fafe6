"""Rows of PostgreSQL that tests left, looked at and deleted piece by piece.

A piece is a range of a table's pages, in a transaction of its own: who else uses the table, and
needs it alone, waits for one piece at the most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from nomock.cleanup.batches import Batches, Pace, pages_of, patient
from nomock.cleanup.kind import Found, Kind, Removed, Trouble
from nomock.cleanup.rules import TableRule
from nomock.cleanup.tables import Table, tables_of
from nomock.errors import CleanupError
from nomock.stack import Postgres

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection


class Rows(Kind):
    """The rows of one database that some rules find."""

    name = "rows"

    def __init__(self, postgres: Postgres, rules: Sequence[TableRule]) -> None:
        super().__init__()
        self._postgres = postgres
        self._rules = rules

    def look(self) -> list[Found]:
        """Return the rows by table and run; go on past a table that PostgreSQL does not show.

        Raises CleanupError where it shows none.
        """
        self.troubles = []
        with self._connected() as connection:
            return self._look(connection, tables_of(connection, self._rules))

    def remove(self, runs: Collection[str]) -> Removed:
        """Delete rows of some runs, and by its own cascades what hangs on them.

        Rows that others still point to are tried again as long as any were deleted. Raises
        CleanupError where the database has gone.
        """
        from nomock.adapters.postgres import DatabaseError

        removed, self.troubles = Removed(), []
        with self._connected() as connection:
            tables = tables_of(connection, self._rules)
            batches = Batches(connection, runs)
            while True:
                batches.refusals.clear()
                before = removed.count
                for table in tables:
                    try:
                        removed.count += batches.delete(table)
                    except DatabaseError as error:
                        if connection.closed:
                            raise
                        batches.refusals[table.where] = str(error).strip()
                if not batches.refusals or removed.count == before:
                    break
            left = [found for found in self._look(connection, tables) if found.run in runs]
            removed.troubles = [*_troubles(left, batches.refusals), *self.troubles]
        return removed

    def _look(self, connection: Connection[Any], tables: Sequence[Table]) -> list[Found]:
        from nomock.adapters.postgres import DatabaseError

        counts, examples = Counter[tuple[str, str]](), dict[tuple[str, str], str]()
        for table in tables:
            try:
                for run, count, example in _counted(connection, table):
                    counts[table.where, run] += count
                    examples.setdefault((table.where, run), example)
            except DatabaseError as error:
                if connection.closed:
                    raise
                where, what = f"database, {table.where}", "it cannot be looked at"
                self.troubles.append(Trouble(where, what, str(error).strip()))
        return [
            Found(self.name, where, run, count, examples[where, run])
            for (where, run), count in sorted(counts.items())
        ]

    @contextmanager
    def _connected(self) -> Iterator[Connection[Any]]:
        own: dict[str, Any] = {"autocommit": True, "application_name": "nomock cleanup"}
        with _said("database"), self._postgres.connect(**own) as connection:
            # Rows that a policy hides are to be an error, and not to be kept unseen.
            connection.execute("set row_security = off")
            connection.execute("set lock_timeout = '50ms'")
            yield connection


def _counted(connection: Connection[Any], table: Table) -> Iterator[tuple[str, int, str]]:
    from nomock.adapters.postgres import QueryCanceled

    statement = (
        f"select {table.run}, count(*), min({table.example}) from only {table.quoted} "
        f"where ctid >= %(from)s::tid and ctid < %(to)s::tid and {table.condition} group by 1"
    ).encode()
    low, pages, pace = 0, pages_of(connection, table), Pace(connection)
    while low < pages:
        high, began = low + pace.pages, monotonic()
        values = {"from": f"({low},0)", "to": f"({high},0)", **table.values}
        try:
            found = patient(partial(_all, connection, statement, values))
        except QueryCanceled:
            if pace.is_less():
                continue
            pace.take_time()
            found = patient(partial(_all, connection, statement, values))
            pace.hurry()
        yield from found
        pace.took(high - low, monotonic() - began)
        low = high


def _all(connection: Connection[Any], statement: bytes, values: dict[str, Any]) -> list[Any]:
    return connection.execute(statement, values).fetchall()


def _troubles(left: Sequence[Found], refusals: dict[str, str]) -> list[Trouble]:
    return [
        Trouble(
            f"database, {found.where}",
            f"{found.count} {'row' if found.count == 1 else 'rows'} cannot be deleted",
            refusals.get(found.where)
            or f"PostgreSQL said it deleted them: a trigger or a rule keeps them\n{found.example}",
        )
        for found in left
    ]


@contextmanager
def _said(where: str) -> Iterator[None]:
    """Raise what PostgreSQL says in a block as a CleanupError."""
    from nomock.adapters.postgres import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise CleanupError(
            "what tests left cannot be looked at or deleted to the end",
            where=where,
            seen=str(error).strip() or type(error).__name__,
            todo="mend what PostgreSQL says, and do it again: it goes on with what is left",
        ) from error
