"""A table is locked by a transaction that does not end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nomock.adapters.postgres import Connection
from nomock.errors import ConfigError, FaultError, did_you_mean
from nomock.faults.database.sessions import (
    Sessions,
    SessionsState,
    end_sessions,
    name_of_sessions,
    visit,
)
from nomock.faults.fault import Fault
from nomock.faults.stack_control import StackControl
from nomock.project import Project

Mode = Literal[
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
]
"""https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES"""

_LOCKED_WITHIN_S = 5.0

# None of the catalogue: with a lock on that nobody could connect any more, and nothing be healed.
_TABLES = """
    SELECT format('%I.%I', nspname, relname), c.oid,
        CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(relname) END
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p')
    AND nspname <> 'information_schema' AND NOT starts_with(nspname, 'pg_')
"""
_WAITING = """
    SELECT l.pid, a.usename FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.relation = %s AND NOT l.granted AND %s = ANY(pg_blocking_pids(l.pid))
"""
_HOLDING = """
    SELECT DISTINCT format('%%s (%%s): %%s', usename, state, query)
    FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE relation = %s AND granted
"""


@dataclass(frozen=True)
class LockTable(Fault):
    """Holds a lock on a table, in a transaction of its own, until it is healed.

    Whoever needs a lock that conflicts waits, or gives up: they are counted every 20 ms. Who asks
    with NOWAIT never waits, so that only ``expect_traffic=False`` fits there.
    """

    kind = "lock_table"

    table: str
    mode: Mode = "ACCESS EXCLUSIVE"

    @property
    def where(self) -> str:
        """The table."""
        return self.table

    def validate_kind(self, control: StackControl) -> None:
        """Refuse a mode and a table that there is not."""
        if self.mode not in get_args(Mode):
            raise ConfigError(
                f"there is no lock mode {self.mode!r}",
                where=f"fault {self.name}",
                seen=f"the modes are: {', '.join(get_args(Mode))}",
                todo="name one of them",
            )
        with visit(control) as connection:
            self._try(connection, self._find(connection)[0])

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Take the database."""
        return frozenset({control.postgres.service.name})

    def prepare(self, control: StackControl) -> SessionsState:
        """Name the session that will hold the lock."""
        return name_of_sessions()

    def begin(self, control: StackControl, state: SessionsState) -> dict[str, str]:
        """Lock the table, and begin to look who waits for it.

        Raises FaultError where others do not give it up.
        """
        from nomock.adapters.postgres import LockNotAvailable

        sessions = Sessions(control, state)
        observer = sessions.observer
        holder = sessions.open(
            {
                "idle_in_transaction_session_timeout": round(self.expires_s * 1000),
                # Who waits for a lock keeps others from it: not for long, should we be killed.
                "lock_timeout": round(_LOCKED_WITHIN_S * 1000),
            },
            autocommit=False,
        )
        name, oid = self._find(observer)
        try:
            holder.execute(f"LOCK TABLE {name} IN {self.mode} MODE")
        except LockNotAvailable as error:
            rows = observer.execute(_HOLDING, [oid]).fetchall()
            raise FaultError(
                f"the lock was not to be had within {_LOCKED_WITHIN_S:g} s",
                where=f"fault {self.name}",
                seen="\n".join(f"held by {who}" for (who,) in rows) or str(error),
                todo="end the transaction that holds it",
            ) from error
        waited: dict[str, str] = {}  # session -> role

        def look() -> None:
            waiting = observer.execute(_WAITING, [oid, holder.info.backend_pid])
            waited.update({str(pid): role for pid, role in waiting})

        sessions.watch(look, for_s=self.expires_s)
        return waited

    def observe_effect(
        self, control: StackControl, state: SessionsState, begun: dict[str, str]
    ) -> str:
        """Say who waited for it.

        Raises FaultError where nobody had, and the database does not answer.
        """
        if sessions := Sessions.of(control, state):
            try:
                sessions.look()  # for those who have come this moment
            except FaultError:
                if not begun:
                    raise
        roles = ", ".join(sorted(set(begun.values())))
        return f"sessions that waited: {len(begun)}, of {roles}" if begun else ""

    def heal(self, control: StackControl, state: SessionsState) -> None:
        """End the transaction."""
        end_sessions(control, state)

    def by_hand(self, project: Project) -> str:
        """Say that nothing is to be done."""
        return "nothing: the lock ended with the run that was killed"

    def _try(self, connection: Connection[Any], table: str) -> None:
        """Raise FaultError where the role may not lock a table; that others do is no matter yet."""
        from nomock.adapters.postgres import InsufficientPrivilege, LockNotAvailable

        try:
            with suppress(LockNotAvailable), connection.transaction():
                connection.execute(f"LOCK TABLE {table} IN {self.mode} MODE NOWAIT")
        except InsufficientPrivilege as error:
            raise FaultError(
                "the role of the tests may not lock it",
                where=f"fault {self.name}",
                seen=str(error).strip(),
                todo="grant it that right, or let POSTGRES_USER be a role that has it",
            ) from error

    def _find(self, connection: Connection[Any]) -> tuple[str, int]:
        """Return the table's full name and its oid; raise ConfigError where there is none."""
        known: dict[str, int] = {}
        for name, oid, short in connection.execute(_TABLES):
            if self.table in {name, short}:
                return name, oid
            known[name] = oid
        raise ConfigError(
            f"there is no table {self.table!r}",
            where=f"fault {self.name}",
            seen=f"the tables are: {', '.join(sorted(known)) or 'none'}",
            todo=did_you_mean(self.table, known, "name one of them, as SQL would"),
        )
