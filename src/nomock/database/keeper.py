"""Who keeps the snapshots of one database: one process at a time, over a connection of its own.

It holds a lock of the database, which the server lets go with the connection. So what a killed run
left is known as such, and taken away before the next snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nomock.adapters.postgres import Connection, DatabaseError
from nomock.database.snapshot import Snapshot
from nomock.database.tables import SCHEMA
from nomock.errors import NomockError, SnapshotError

APPLICATION = "nomock snapshot"
"""The name of its connection, by which others know it."""

# Any numbers would do; locks of this kind are each database's own.
_LOCK = 7207_14
_LOCK_BENEATH = 7207_15
_PREFIX = f"{SCHEMA}_"
_PREFIX_BENEATH = f"{SCHEMA}s_beneath_"
_LEFT = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY 1"


class Snapshots:
    """The snapshots of one database; the last one that was taken is that which is restored."""

    def __init__(
        self, open_connection: Callable[[], Connection[Any]], where: str, *, beneath: bool = False
    ) -> None:
        """``open_connection``: as a superuser; ``where`` is what messages call the database.

        ``beneath``: they are of a command that runs tests, which take others above them.
        """
        self._open = open_connection
        self._where = where
        self._beneath = beneath
        self._lock = _LOCK_BENEATH if beneath else _LOCK
        self._prefix = _PREFIX_BENEATH if beneath else _PREFIX
        self._connection: Connection[Any] | None = None
        self._taken: list[Snapshot] = []

    def take(self) -> Snapshot:
        """Take a snapshot; raise SnapshotError where that is not possible."""
        if not self._taken:
            self.clear()
        snapshot = Snapshot(self, f"{self._prefix}{len(self._taken) + 1}")
        snapshot.take()
        self._taken.append(snapshot)
        return snapshot

    @property
    def last(self) -> Snapshot:
        """The one that was taken last and is there; raises SnapshotError where there is none."""
        if not self._taken:
            raise self.error("there is no snapshot", "none was taken", "postgres.snapshot() first")
        return self._taken[-1]

    def drop(self, snapshot: Snapshot) -> None:
        """Take a snapshot away, with those that were taken after it."""
        if snapshot not in self._taken:
            return
        while snapshot in self._taken:
            self._drop(self._taken.pop().schema)
        if not self._taken:
            self.close()

    def close(self) -> None:
        """Take all away, and close the connection; what cannot be is left to the next snapshot."""
        with suppress(DatabaseError, NomockError):
            while self._taken:
                self._drop(self._taken.pop().schema)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connection(self) -> Connection[Any]:
        """Return the connection that has the lock, a new one where the server has ended it."""
        if self._connection is not None:
            try:
                self._connection.execute("SELECT")
            except DatabaseError:
                self._connection.close()
                self._connection = None
        if self._connection is None:
            connection = self._open()
            if not _locked(connection, self._lock):
                connection.close()
                raise self.error(
                    "another run has a snapshot of it",
                    "two of them would take each other's rows away",
                    "wait until that run is over, or let each have a database of its own: "
                    "--nomock-lanes database",
                )
            self._connection = connection
        return self._connection

    def error(self, what: str, seen: str, todo: str = "") -> SnapshotError:
        """Return the error of this database."""
        return SnapshotError(what, where=self._where, seen=seen, todo=todo)

    def clear(self) -> None:
        """Take away what killed runs have left; raise SnapshotError where another one lives."""
        connection = self.connection()
        self._clear(self._prefix)
        if not self._beneath and _locked(connection, _LOCK_BENEATH):  # its command is dead, too
            self._clear(_PREFIX_BENEATH)
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_BENEATH])

    def _clear(self, prefix: str) -> None:
        for (schema,) in self.connection().execute(_LEFT, [prefix]).fetchall():
            self._drop(schema)

    def _drop(self, schema: str) -> None:
        # With its function go the triggers that call it.
        self.connection().execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def _locked(connection: Connection[Any], number: int) -> bool:
    """Tell whether a connection has got a lock, which it keeps."""
    found = connection.execute("SELECT pg_try_advisory_lock(%s)", [number]).fetchone()
    return found is not None and bool(found[0])
