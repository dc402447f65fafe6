"""All connections that the database allows are taken."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import Any

from nomock.adapters.postgres import Connection
from nomock.errors import EngineError, FaultError
from nomock.faults.database.logins import Login, logins_of
from nomock.faults.database.sessions import (
    VISITOR,
    Sessions,
    SessionsState,
    end_sessions,
    name_of_sessions,
    visit,
)
from nomock.faults.fault import Fault, whole_number
from nomock.faults.stack_control import StackControl
from nomock.moments import Moment, now
from nomock.polling import wait_until
from nomock.project import Project

_FULL_WITHIN_S = 10.0
_LOGGED_WITHIN_S = 5.0

# How many there are, and how many are kept for superusers and (16 and newer) a few others.
_SLOTS = """
    SELECT current_setting('max_connections')::int,
        current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0)
"""
_USED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND application_name <> %s
"""
_ORDINARY = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper"


@dataclass(frozen=True)
class Refusing:
    """What is known once the database refuses connections."""

    words: str
    """In which words it does."""
    since: Moment


@dataclass(frozen=True)
class FillSlots(Fault):
    """Takes all slots for connections but ``leave``: a new one is refused (53300), open ones go on.

    A slot that becomes free is taken within 20 ms. Those that PostgreSQL keeps for superusers stay
    free, for the test as well, unless all services connect as superusers.
    """

    kind = "fill_slots"

    leave: int = 0

    @property
    def where(self) -> str:
        """The database, of which there is one."""
        return "database"

    def validate_kind(self, control: StackControl) -> None:
        """Refuse to leave less than none, or as many as there are."""
        with visit(control) as connection:
            count, _ = _slots(control, connection)
        whole_number(self, "leave", least=0, most=count - 1)

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Take the database."""
        return frozenset({control.postgres.service.name})

    def prepare(self, control: StackControl) -> SessionsState:
        """Name the sessions that will take the slots."""
        return name_of_sessions()

    def begin(self, control: StackControl, state: SessionsState) -> Refusing:
        """Take the slots, and return when a connection has been refused.

        Raises EngineError where none would have been let in before.
        """
        sessions = Sessions(control, state)
        observer = sessions.observer
        count, login = _slots(control, observer)
        _connect(control, login).close()
        expires = {"idle_session_timeout": round(self.expires_s * 1000)}

        def fill() -> bool:
            [(used,)] = observer.execute(_USED, [VISITOR]).fetchall()
            free: int = max(0, count - self.leave - used)
            sessions.open_many(free, expires)
            return free > 0

        since = now()
        # One that has just been closed may have its slot a moment longer.
        words = wait_until(
            lambda: "" if fill() else self._refusal(control, login),
            within_s=_FULL_WITHIN_S,
            pause_s=0.01,
        )
        if not words:
            raise FaultError(
                "a connection is let in though all slots seem to be taken",
                where=f"fault {self.name}",
                seen=f"{count} slots, {self.leave} to be left",
                todo="let those pause that open and close connections meanwhile",
            )
        _mark(sessions, "on")
        sessions.watch(fill, for_s=self.expires_s)
        return Refusing(words, since)

    def observe_effect(self, control: StackControl, state: SessionsState, begun: Refusing) -> str:
        """Say how many connections the database refused, by its own log.

        Where the log goes elsewhere the one has to do that was refused when the fault began.
        """
        sessions, words = Sessions.of(control, state), begun.words
        if sessions is None:
            return ""
        with suppress(FaultError):  # one that hangs refuses nobody, and has its log
            sessions.ask(lambda: _mark(sessions, "off"))
        since_s, end = begun.since.earliest_s, _line(sessions, "off")
        log = ""

        def is_logged() -> bool:
            nonlocal log
            log = control.postgres.service.logs(since=since_s)
            return end in log

        wait_until(is_logged, within_s=_LOGGED_WITHIN_S, pause_s=0.02)
        _, on, after = log.partition(_line(sessions, "on"))
        count = after.partition(end)[0].count(words)
        if on:
            return f"connections refused: {count}, with {words!r}" if count else ""
        return f"ours was refused, with {words!r}"

    def heal(self, control: StackControl, state: SessionsState) -> None:
        """Give the slots back."""
        end_sessions(control, state)

    def by_hand(self, project: Project) -> str:
        """Say that nothing is to be done."""
        return "nothing: the connections ended with the run that was killed"

    def _refusal(self, control: StackControl, login: Login) -> str:
        """Return in which words one connection more than are left is refused, "" if it is not."""
        with ExitStack() as opened:
            try:
                for _ in range(self.leave + 1):
                    opened.enter_context(closing(_connect(control, login)))
            except EngineError as error:
                # '… failed: FATAL:  sorry, too many clients already', in the server's language
                return error.seen.rpartition(":  ")[2].strip()
        return ""


def _line(sessions: Sessions, what: str) -> str:
    return f"{sessions.name} {what}"


def _mark(sessions: Sessions, what: str) -> None:
    """Write a line into the database's log; what was logged between two of them is the fault's."""
    from nomock.adapters.postgres import DatabaseError

    with suppress(DatabaseError):  # it has been stopped since, and keeps its log
        sessions.observer.execute(f"DO $$ BEGIN RAISE LOG '{_line(sessions, what)}'; END $$")


def _connect(control: StackControl, login: Login) -> Connection[Any]:
    options = {"dbname": login.dbname} if login.dbname else {}
    return visit(control, login.role, password=login.password, **options)


def _slots(control: StackControl, connection: Connection[Any]) -> tuple[int, Login]:
    """Return how many slots there are for those who are to be refused, and the login of one."""
    [(count, kept)] = connection.execute(_SLOTS).fetchall()
    ordinary = {name for (name,) in connection.execute(_ORDINARY)}
    for service in control.project.services.values():
        for login in logins_of(service):
            if login.role in ordinary:
                return count - kept, login
    return count, Login(control.postgres.user, control.postgres.password)
