"""Looks at a database while tests run: one thread with one connection of its own.

It changes nothing of the server, and asks nothing but ``pg_stat_activity``, 20 times a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from queue import Empty, SimpleQueue
from socket import SHUT_RDWR, socket
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Protocol

from nomock.adapters.postgres import Connection, DatabaseError
from nomock.errors import NomockError
from nomock.evidence.statements import Activity, Session

APPLICATION = "nomock evidence"
"""The name of its connection, by which others know it."""

_LOOK_EVERY_S = 0.05
# To connect takes the server more than to look.
_CONNECT_EVERY_S = 0.25
_ANSWERS_WITHIN_S = 1.0
_ENDS_WITHIN_S = 0.5
_DENIED = "<insufficient privilege>"

# Texts of another database need not be in the encoding of this one, which they are said to be in:
# without a conversion they come as they are.
_AS_IT_IS = "SET client_encoding TO 'SQL_ASCII'"
# Ages are by the server's clock, which need not be this machine's. What a role may not see is null.
_SESSIONS = """
    SELECT pid, coalesce(application_name, ''), host(client_addr), coalesce(usename::text, ''),
        coalesce(state, ''), coalesce(query, ''),
        coalesce(extract(epoch FROM query_start), 0)::float8,
        coalesce(extract(epoch FROM clock_timestamp()
            - CASE state WHEN 'active' THEN query_start ELSE state_change END), 0)::float8,
        coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8,
        CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) END,
        current_user::text
    FROM pg_stat_activity
    WHERE datname = %s AND state IS DISTINCT FROM 'idle' AND pid <> pg_backend_pid()
        AND coalesce(backend_type, 'client backend') IN ('client backend', 'autovacuum worker')
        AND application_name IS DISTINCT FROM %s
"""


class Database(Protocol):
    """What is looked at."""

    @property
    def name(self) -> str:
        """The database's name; raises NomockError where it is not known."""

    def connect(self) -> Connection[Any]:
        """Open a connection that commits by itself; raise NomockError."""

    def who(self, application: str, address: str | None, user: str) -> str:
        """Return whose a session is: a service, or another word for who has it."""


class Sampler:
    """Looks at one database, between ``begin`` and ``end`` of each test."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection[Any] | None = None
        self._activity: Activity | None = None
        self._kept = Lock()
        self._failed_s = 0.0
        self._is_closing = False
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread = Thread(target=self._run, name=APPLICATION, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """A test begins: from now on its time is looked at."""
        self._activity = Activity(monotonic())
        self._asked.put(self._look)

    def end(self) -> None:
        """It is over: the connection stays, for the next one."""
        self._activity = None

    def seen(self, began_s: float) -> tuple[Activity | None, list[str]]:
        """Look once more; return what was seen of the test that runs, and what was not.

        ``began_s``: when it began, by the monotonic clock. None: nothing was looked at.
        """
        activity = self._activity
        if activity is None:
            return None, []
        done = Event()
        self._failed_s = 0.0  # one that is back is to be seen now
        self._asked.put(self._look)
        self._asked.put(done.set)
        has_answered = done.wait(_ANSWERS_WITHIN_S)
        with self._kept:
            missing = activity.missing(began_s)
            if not has_answered:
                since_s = max(0.0, activity.looked_s - began_s)
                missing.append(f"database statements, from {since_s:.1f} s on: it does not answer")
            return deepcopy(activity), missing

    def close(self) -> None:
        """End the thread and its connection."""
        self._is_closing, self._activity = True, None
        self._asked.put(lambda: None)
        self._thread.join(_ENDS_WITHIN_S)
        connection = self._connection
        if self._thread.is_alive() and connection is not None:
            # It waits for a database that hangs: to close the connection would not wake it.
            with suppress(DatabaseError, OSError), socket(fileno=os.dup(connection.fileno())) as s:
                s.shutdown(SHUT_RDWR)
            self._thread.join(_ENDS_WITHIN_S)

    def _run(self) -> None:
        while not self._is_closing:
            try:
                what = self._asked.get(timeout=_LOOK_EVERY_S if self._activity else None)
            except Empty:
                what = self._look
            what()
        if self._connection is not None:
            self._connection.close()

    def _look(self) -> None:
        activity = self._activity
        if activity is None:
            return
        if self._connection is None and monotonic() - self._failed_s < _CONNECT_EVERY_S:
            return
        try:
            sessions = self._sessions(activity)
        except (DatabaseError, NomockError) as error:
            self._failed_s = monotonic()
            with self._kept:
                activity.fail(str(error).strip(), self._failed_s)
        else:
            with self._kept:
                activity.add(sessions, monotonic())

    def _sessions(self, activity: Activity) -> list[Session]:
        """Ask; a connection that the server has ended since is opened anew, once."""
        if self._connection is not None:
            try:
                return self._asked_of(self._connection, activity)
            except DatabaseError:
                self._connection.close()
                self._connection = None
        self._connection = self._database.connect()
        try:
            self._connection.execute(_AS_IT_IS)
            return self._asked_of(self._connection, activity)
        except DatabaseError:
            self._connection.close()
            self._connection = None
            raise

    def _asked_of(self, connection: Connection[Any], activity: Activity) -> list[Session]:
        rows = connection.execute(_SESSIONS, [self._database.name, APPLICATION]).fetchall()
        found = []
        for row in rows:
            values: list[Any] = [_text(value) for value in row]
            pid, application, address, user, state, text, began, age_s, open_s, held, ours = values
            if text == _DENIED:
                activity.denied = (
                    f"those of others are not shown to {ours}: GRANT pg_read_all_stats TO {ours}"
                )
            elif state and text:
                who = self._database.who(application, address, user)
                found.append(Session(pid, who, state, text, began, age_s, open_s, held))
        return found


def _text(value: object) -> object:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
