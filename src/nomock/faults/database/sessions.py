"""The sessions of the database that a fault holds open.

They die with this process: the server ends a session whose socket is closed. While it lives any
other process finds them by their name, and the server ends them when the fault expires.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from socket import SHUT_RDWR, socket
from threading import Event, Thread
from time import monotonic
from types import MappingProxyType
from typing import Any, TypedDict
from uuid import uuid4

from nomock.adapters.postgres import Connection
from nomock.errors import ConfigError, EngineError, FaultError, NomockError, NotReadyError
from nomock.faults.stack_control import StackControl

PREFIX = "nomock-"
"""What the names of all sessions of all faults begin with."""
VISITOR = f"{PREFIX}visitor"
"""The name of those that are closed at once, which take nobody's slot."""

_LOOK_EVERY_S = 0.02
_ANSWERS_WITHIN_S = 5.0
_ENDS_WITHIN_S = 0.5
_GONE_WITHIN_S = 5.0
_OPENED_AT_ONCE = 16


class SessionsState(TypedDict):
    """How the sessions of a fault are found again."""

    sessions: str
    """Their name, which no others have."""


def name_of_sessions() -> SessionsState:
    """Return the state by which a fault's sessions are found: a name that no other has."""
    return {"sessions": f"{PREFIX}{uuid4().hex[:12]}"}


def visit(control: StackControl, user: str | None = None, **options: Any) -> Connection[Any]:
    """Connect for a moment, as the superuser by default; ``options`` are psycopg's own."""
    return control.postgres.connect(user, application_name=VISITOR, autocommit=True, **options)


class Sessions:
    """The sessions of one fault, and a thread that looks after them."""

    def __init__(self, control: StackControl, state: SessionsState) -> None:
        self.name: str = state["sessions"]
        self._postgres = control.postgres
        self._connections: list[Connection[Any]] = []
        self._look: Callable[[], object] = lambda: None
        self._asked: SimpleQueue[tuple[Callable[[], object], Event]] = SimpleQueue()
        self._closing = Event()
        self._thread: Thread | None = None
        control.live[self.name] = self
        self.observer = self.open()

    @staticmethod
    def of(control: StackControl, state: SessionsState) -> Sessions | None:
        """Return those that this process holds for a fault, if it does."""
        found: Sessions | None = control.live.get(state["sessions"])
        return found

    def open(
        self, settings: Mapping[str, int] = MappingProxyType({}), *, autocommit: bool = True
    ) -> Connection[Any]:
        """Open one more; ``settings`` are PostgreSQL's own."""
        connection = self._postgres.connect(
            application_name=self.name,
            autocommit=autocommit,
            options=" ".join(f"-c {key}={value}" for key, value in settings.items()),
        )
        self._connections.append(connection)
        if self._closing.is_set():  # who closes them may not have seen this one
            connection.close()
        return connection

    def open_many(self, count: int, settings: Mapping[str, int]) -> None:
        """Open many at once, as far as they are let in."""

        def open_one(_: int) -> None:
            with suppress(EngineError):
                if not self._closing.is_set():
                    self.open(settings)

        with ThreadPoolExecutor(_OPENED_AT_ONCE) as pool:
            list(pool.map(open_one, range(count)))

    def watch(self, look: Callable[[], object], *, for_s: float) -> None:
        """Call ``look`` every 20 ms, until the sessions are closed or the fault has expired."""
        from nomock.adapters.postgres import DatabaseError

        until_s = monotonic() + for_s
        self._look = look

        def run() -> None:
            while not self._closing.is_set():
                if monotonic() > until_s:
                    self._look = lambda: None
                try:
                    what, done = self._asked.get(timeout=_LOOK_EVERY_S)
                except Empty:
                    what, done = self._look, Event()
                # One that another fault has stopped has nothing to show.
                with suppress(DatabaseError, NomockError):
                    what()
                done.set()

        self._thread = Thread(target=run, name=self.name, daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Call ``look`` once, now; raise FaultError where the database does not answer."""
        self.ask(lambda: self._look())

    def ask(self, what: Callable[[], object]) -> None:
        """Call what asks the database, and return when it has answered or refused to.

        In the thread, since a database that hangs lets whoever asks wait for ever: he may be the
        one who would let it go on. Raises FaultError then.
        """
        if self._thread is None:
            return
        done = Event()
        self._asked.put((what, done))
        if not done.wait(_ANSWERS_WITHIN_S):
            raise FaultError(
                f"the database has not answered for {_ANSWERS_WITHIN_S:g} s",
                where=f"service {self._postgres.service.name}",
                todo="end what makes it hang before this fault, not after",
            )

    def close(self) -> None:
        """End the thread and close the sessions."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_ENDS_WITHIN_S)
            if self._thread.is_alive():
                # It waits for a database that hangs, which ends the sessions when it goes on.
                self._hang_up()
                self._thread.join(_ENDS_WITHIN_S)
        for connection in self._connections.copy():
            connection.close()

    def _hang_up(self) -> None:
        """End the connections below whoever waits for an answer: to close them does not wake it."""
        from nomock.adapters.postgres import DatabaseError

        for connection in self._connections.copy():
            with suppress(DatabaseError, OSError), socket(fileno=os.dup(connection.fileno())) as s:
                s.shutdown(SHUT_RDWR)


def look_all(control: StackControl) -> None:
    """Let all faults that hold sessions look now, after something has changed."""
    for held in list(control.live.values()):
        if isinstance(held, Sessions):
            held.look()


def end_sessions(control: StackControl, state: SessionsState) -> None:
    """End a fault's sessions, whoever holds them, and return when the database has none left.

    Where it hangs, it ends them when it goes on: it finds their sockets closed. So it does with
    those of a process that was killed, where nobody can connect to see that.
    """
    name = state["sessions"]
    held = Sessions.of(control, state)
    if held is not None:
        held.close()
        del control.live[name]
    try:
        service = control.postgres.service.name
    except ConfigError:
        return  # it has left the stack
    if not control.runs(service):
        return
    deadline, pause = monotonic() + _GONE_WITHIN_S, Event()
    while True:
        left: int | None = None
        try:
            with visit(control) as connection:
                left = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = %s",
                    [name],
                ).rowcount
            if not left:
                return
            seen = f"{left} sessions named {name}"
        except NotReadyError:
            return  # a database that does not run has no sessions
        except EngineError as error:
            seen = error.seen  # those that are just ending may have all its slots
        if monotonic() > deadline:
            if left is None and held is None:
                return
            raise FaultError(
                "the sessions of a fault do not end",
                where=f"service {service}",
                seen=seen,
                todo=f"docker compose restart {service}",
            )
        pause.wait(0.005)
