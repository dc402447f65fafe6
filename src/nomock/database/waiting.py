"""Waiting for rows that a service writes a moment later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nomock.adapters.postgres import Connection
from nomock.errors import RowsError
from nomock.polling import wait_until

Rows = list[tuple[Any, ...]]

_PAUSE_S = 0.02
_MOST_ROWS = 5
_MOST_TEXT = 200


def wait_for_rows(
    connection: Connection[Any],
    query: str,
    values: Sequence[Any] | None,
    until: Callable[[Rows], object],
    *,
    within_s: float,
    where: str,
) -> Rows:
    """Ask until the rows are as wanted, and return them; raise RowsError with the last ones.

    ``connection`` commits by itself, else each answer would be that of the first look.
    """
    rows: Rows = []
    tries = 0

    def ask() -> object:
        nonlocal rows, tries
        tries += 1
        rows = connection.execute(query, values).fetchall()
        return until(rows)

    if wait_until(ask, within_s=within_s, pause_s=_PAUSE_S):
        return rows
    shown = [str(row)[:_MOST_TEXT] for row in rows[:_MOST_ROWS]]
    more = len(rows) - _MOST_ROWS
    raise RowsError(
        f"the rows are not those that the test waits for, after {within_s:g} s ({tries} tries)",
        where=where,
        seen="\n".join(
            [
                " ".join(query.split())[:_MOST_TEXT],
                *([f"with {list(values)}"[:_MOST_TEXT]] if values else []),
                f"the last time {len(rows)} rows{':' if rows else ''}",
                *shown,
                *([f"and {more} more"] if more > 0 else []),
            ]
        ),
        todo="look at what writes them: nomock logs; or let it have more time: within_s",
    )
