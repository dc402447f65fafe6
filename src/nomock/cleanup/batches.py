"""Deletes rows of one table in short transactions, from its last page to its first.

What points to a row was nearly always written after it, so that this way most rows are free when
it is their turn. Of a piece that is refused each row is tried alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from statistics import median
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from nomock.cleanup.tables import Table

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

# How long a piece is to take, and after how long it is ended: somebody may wait for it.
_SHORT_S, _MOST_MS = 0.04, 90
_MOST_PAGES, _REMEMBERED = 2048, 7
# Refusals of a table, after which its other rows are left for the next pass.
_MOST_REFUSALS = 100
_TRIES, _TRIES_OF_A_ROW = 60, 5

T = TypeVar("T")


def patient(act: Callable[[], T], tries: int = _TRIES) -> T:
    """Do something, again where a lock was not had at once: who has it must not be held up."""
    from nomock.adapters.postgres import LockNotAvailable

    for _ in range(tries):
        try:
            return act()
        except LockNotAvailable:
            Event().wait(_SHORT_S)
    return act()


def pages_of(connection: Connection[Any], table: Table) -> int:
    """Return how many pages a table has."""
    (pages,) = connection.execute(
        "select pg_relation_size(%s::oid) / current_setting('block_size')::int", [table.oid]
    ).fetchone() or (0,)
    return int(pages)


class Pace:
    """How many pages one statement takes: as many as are done while nobody minds waiting.

    By the middle one of the last times: on a busy machine some take ten times as long.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        """``connection`` commits each statement; from now on it ends those that take long."""
        self.pages = 8
        self._connection = connection
        self._page_s = deque[float](maxlen=_REMEMBERED)
        self.hurry()

    def hurry(self) -> None:
        """End a statement that takes long from now on."""
        self._set_timeout(_MOST_MS)

    def take_time(self) -> None:
        """Let a statement take as long as it takes: it cannot be divided."""
        self._set_timeout(0)

    def is_less(self) -> bool:
        """Take fewer pages after one that took too long; return whether that is possible."""
        self._page_s.append(_MOST_MS / 1e3 / self.pages)
        self.pages, before = max(self.pages // 2, 1), self.pages
        return before > 1

    def took(self, pages: int, seconds: float) -> None:
        """Choose how many come next, after a statement that took so long for some."""
        self._page_s.append(seconds / pages)
        fitting = int(_SHORT_S / median(self._page_s))
        self.pages = min(max(fitting, 1), self.pages * 4, _MOST_PAGES)

    def _set_timeout(self, milliseconds: int) -> None:
        self._connection.execute(f"set statement_timeout = {milliseconds}".encode())


class Batches:
    """Deletes what was made by some runs; remembers by table why a row was not deleted."""

    def __init__(self, connection: Connection[Any], runs: Collection[str]) -> None:
        """``connection`` commits each statement."""
        self._connection = connection
        self._runs = list(runs)
        self.refusals: dict[str, str] = {}

    def delete(self, table: Table) -> int:
        """Delete what can be deleted of a table now, and return how many rows that were."""
        from nomock.adapters.postgres import DatabaseError, QueryCanceled

        count, refused, self._pace = 0, 0, Pace(self._connection)
        high = pages_of(self._connection, table)
        while high > 0:
            low, began = max(0, high - self._pace.pages), monotonic()
            try:
                count += self._between(table, low, high)
            except QueryCanceled:
                if self._pace.is_less():
                    continue
                deleted, refused = self._one_by_one(table, low, high, refused)
                count += deleted
            except DatabaseError:
                if self._connection.closed:
                    raise
                deleted, refused = self._one_by_one(table, low, high, refused)
                count += deleted
            if refused >= _MOST_REFUSALS:
                break
            self._pace.took(high - low, monotonic() - began)
            high = low
        return count

    def _between(self, table: Table, low: int, high: int) -> int:
        return self._do(
            _TRIES,
            f"delete from only {table.quoted} where ctid >= %(from)s::tid and ctid < %(to)s::tid "
            f"and {table.condition} and {table.run} = any(%(runs)s)",
            {"from": f"({low},0)", "to": f"({high},0)", "runs": self._runs, **table.values},
        )

    def _one_by_one(self, table: Table, low: int, high: int, refused: int) -> tuple[int, int]:
        """Delete the rows of some pages each alone; return how many, and how many were refused."""
        from nomock.adapters.postgres import DatabaseError, QueryCanceled

        statement = (
            f"select ctid::text from only {table.quoted} where ctid >= %(from)s::tid "
            f"and ctid < %(to)s::tid and {table.condition} and {table.run} = any(%(runs)s) "
            "order by ctid desc"
        )
        values = {"from": f"({low},0)", "to": f"({high},0)", "runs": self._runs, **table.values}
        one = f"delete from only {table.quoted} where ctid = %(row)s::tid and {table.condition}"
        self._pace.take_time()
        rows = self._connection.execute(statement.encode(), values).fetchall()
        self._pace.hurry()
        count = 0
        for (row,) in rows:
            try:
                try:
                    count += self._do(_TRIES_OF_A_ROW, one, {"row": row, **table.values})
                except QueryCanceled:  # it cannot be divided: what hangs on it is much
                    self._pace.take_time()
                    try:
                        count += self._do(_TRIES_OF_A_ROW, one, {"row": row, **table.values})
                    finally:
                        self._pace.hurry()
            except DatabaseError as error:
                if self._connection.closed:
                    raise
                self.refusals[table.where] = str(error).strip()
                refused += 1
                if refused >= _MOST_REFUSALS:
                    break
        return count, refused

    def _do(self, tries: int, statement: str, values: dict[str, Any]) -> int:
        text = statement.encode()
        return patient(lambda: self._connection.execute(text, values).rowcount, tries)
