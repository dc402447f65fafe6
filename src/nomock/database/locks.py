"""Locks of tables, taken without waiting for them, and who keeps them.

Who waits for a lock with others in hand can end up in a circle with a service, and the server then
ends whichever transaction it likes. So all are asked for at once, and again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nomock.adapters.postgres import Connection, LockNotAvailable
from nomock.database.tables import Table
from nomock.polling import wait_until

LOCKED_WITHIN_S = 10.0
_MOST = 5
_MOST_TEXT = 120
# Who only reads holds nobody up.
_HOLDERS = """
    SELECT DISTINCT l.relation::regclass::text, a.pid,
        coalesce(nullif(a.application_name, ''), 'a session'), a.usename, a.state,
        round(extract(epoch FROM clock_timestamp() - a.xact_start)::numeric, 1)::text, a.query
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.relation = ANY(%s::oid[]) AND l.granted AND l.mode <> 'AccessShareLock'
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND a.pid <> pg_backend_pid()
    ORDER BY 1, 2
"""


def when_locked(
    connection: Connection[Any], tables: Sequence[Table], do: Callable[[], None]
) -> str | None:
    """Do something in one transaction that nobody else writes to some tables beside.

    Return None once it is done; else, after 10 s, who kept the tables.
    """
    names = ", ".join(f"ONLY {table.name}" for table in tables)

    def try_once() -> bool:
        try:
            with connection.transaction():
                if names:
                    connection.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE NOWAIT")
                do()
        except LockNotAvailable:
            return False
        return True

    if wait_until(try_once, within_s=LOCKED_WITHIN_S, pause_s=0.02):
        return None
    return holders_of(connection, tables)


def holders_of(connection: Connection[Any], tables: Sequence[Table]) -> str:
    """Return a line for each session that writes to one of some tables, or keeps its rows."""
    rows = connection.execute(_HOLDERS, [[table.oid for table in tables]]).fetchall()
    lines = [
        f"{table}: {name} (pid {pid}, role {role}), {state}, its transaction open for {age_s} s: "
        f"{' '.join((text or '').split())[:_MOST_TEXT]}"
        for table, pid, name, role, state, age_s, text in rows
    ]
    more = len(lines) - _MOST
    return "\n".join([*lines[:_MOST], *([f"and {more} more"] if more > 0 else [])])
