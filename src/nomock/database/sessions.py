"""Sessions that a test steps by hand, so that a race happens in the order that the test says.

A statement runs in a thread of its own. It is known to be over, or to be blocked as the server
itself tells who waits for whom: no step depends on how long something takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from nomock.adapters.postgres import Connection, DatabaseError
from nomock.errors import SessionError
from nomock.polling import wait_until

Rows = list[tuple[Any, ...]]

_WITHIN_S = 10.0
_PAUSE_S = 0.005
_BLOCKERS = """
    SELECT blocker, application_name FROM unnest(pg_blocking_pids(%s)) blocker
    LEFT JOIN pg_stat_activity ON pid = blocker
"""


class Session:
    """One session of a database, which a test steps: each statement is in its transaction."""

    def __init__(
        self, name: str, connection: Connection[Any], pool: ThreadPoolExecutor, block: _Block
    ) -> None:
        self.name = name
        self.connection = connection
        """For what a test asks of psycopg itself, between statements."""
        self._pool = pool
        self._block = block
        self._running: Future[Rows] | None = None
        self._text = ""

    def execute(self, statement: str, values: Sequence[Any] | None = None) -> Rows:
        """Run a statement and return its rows, [] where it has none.

        Raises SessionError where it is blocked, with who blocks it: ``start`` is for that.
        """
        self.start(statement, values)
        if self.is_blocked:
            blockers = ", ".join(self.blocked_by)
            self.cancel()
            raise self._error(f"its statement is blocked by {blockers}", "start(…) one that may be")
        return self.result()

    def start(self, statement: str, values: Sequence[Any] | None = None) -> None:
        """Begin a statement, and return once it is over or blocked; ``result`` has its rows."""
        if self._running is not None:
            raise self._error("its last statement was not asked for its result", "result() first")
        self._text = " ".join(statement.split())
        self._running = self._pool.submit(_rows, self.connection, statement, values)
        if not wait_until(
            lambda: self.is_over or self.is_blocked, within_s=_WITHIN_S, pause_s=_PAUSE_S
        ):
            self.cancel()
            raise self._error(
                f"its statement is neither over nor blocked after {_WITHIN_S:g} s", "shorten it"
            )

    @property
    def is_over(self) -> bool:
        """Whether it runs no statement."""
        return self._running is None or self._running.done()

    @property
    def is_blocked(self) -> bool:
        """Whether its statement waits for a lock that another session has."""
        return bool(self.blocked_by)

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Who has the lock: the names of other sessions; of a service, what it calls itself."""
        return () if self.is_over else self._block.blockers(self.connection)

    def result(self) -> Rows:
        """Wait until the statement is over, and return its rows; raise the database's error.

        Raises SessionError where it goes on being blocked.
        """
        running = self._running
        if running is None:
            raise self._error("it has no statement", "start(…) one")
        if not wait_until(running.done, within_s=_WITHIN_S, pause_s=_PAUSE_S):
            blockers = ", ".join(self.blocked_by) or "nobody"
            self.cancel()
            raise self._error(
                f"its statement is still blocked, by {blockers}",
                "commit or roll back the one that blocks it",
            )
        self._running = None
        return running.result()

    def commit(self) -> None:
        """Commit its transaction."""
        self._between("commit")
        self.connection.commit()

    def rollback(self) -> None:
        """Roll its transaction back."""
        self._between("rollback")
        self.connection.rollback()

    def cancel(self) -> None:
        """End its statement, if it runs one, and forget it."""
        running, self._running = self._running, None
        while running is not None and not running.done():
            with suppress(DatabaseError):
                self.connection.cancel()  # what arrives before the statement ends nothing
            wait_until(running.done, within_s=0.1, pause_s=_PAUSE_S)

    def _between(self, what: str) -> None:
        if not self.is_over:
            blockers = ", ".join(self.blocked_by) or "nobody now"
            raise self._error(f"no {what} while its statement runs, blocked by {blockers}", "")

    def _error(self, what: str, todo: str) -> SessionError:
        return SessionError(what, where=f"session {self.name}", seen=self._text, todo=todo)


class _Block:
    """Asks who blocks whom, over a connection of its own."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.names: dict[int, str] = {}

    def blockers(self, connection: Connection[Any]) -> tuple[str, ...]:
        rows = self._connection.execute(_BLOCKERS, [connection.info.backend_pid]).fetchall()
        found = (self.names.get(pid) or name or f"pid {pid}" for pid, name in rows)
        return tuple(dict.fromkeys(found))


@contextmanager
def sessions_of(
    open_connection: Callable[..., Connection[Any]], names: Sequence[str]
) -> Iterator[tuple[Session, ...]]:
    """Give a session for each name; what they have not committed is rolled back at the end."""
    with ExitStack() as undo:
        watcher = undo.enter_context(_closing(open_connection(autocommit=True)))
        block = _Block(watcher)
        pool = undo.enter_context(ThreadPoolExecutor(max(1, len(names))))
        found = []
        for name in names:
            connection = open_connection(application_name=name)
            undo.enter_context(_closing(connection))
            session = Session(name, connection, pool, block)
            undo.callback(session.cancel)
            block.names[connection.info.backend_pid] = name
            found.append(session)
        yield tuple(found)


@contextmanager
def _closing(connection: Connection[Any]) -> Iterator[Connection[Any]]:
    # Its own context manager would commit.
    try:
        yield connection
    finally:
        connection.close()


def _rows(connection: Connection[Any], statement: str, values: Sequence[Any] | None) -> Rows:
    cursor = connection.execute(statement, values)
    return cursor.fetchall() if cursor.description else []
