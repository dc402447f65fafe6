"""All connections that the database allows are taken."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from threading import Event
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from nomock.errors import EngineError, FaultError
from nomock.faults.database.logins import Login, logins_of
from nomock.faults.database.sessions import Sessions, end_sessions, name_of_sessions
from nomock.faults.edge.common import wrong
from nomock.faults.fault import Fault, State

if TYPE_CHECKING:
    from nomock.adapters.postgres import Connection
    from nomock.faults.ground import Ground

_FULL_WITHIN_S = 10.0
_LOGGED_WITHIN_S = 1.0

# How many there are, and how many are kept for superusers and (16 and newer) a few others.
_SLOTS = """
    SELECT current_setting('max_connections')::int,
        current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0)
"""
_USED = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
_ORDINARY = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper"


@dataclass(frozen=True)
class FillSlots(Fault):
    """Takes all slots for connections but ``leave``: a new one is refused (53300), open ones go on.

    A slot that becomes free is taken within 20 ms. Those that PostgreSQL keeps for superusers stay
    free, unless all services connect as superusers.
    """

    kind = "fill_slots"

    leave: int = 0

    @property
    def where(self) -> str:
        """The database, of which there is one."""
        return "database"

    def check(self, ground: Ground) -> None:
        """Refuse to leave less than none, or as many as there are."""
        with ground.postgres.connect() as connection:
            count, _ = _slots(ground, connection)
        if isinstance(self.leave, bool) or not isinstance(self.leave, int):
            raise wrong(self, "leave", self.leave, "it is a whole number")
        if not 0 <= self.leave < count:
            raise wrong(self, "leave", self.leave, f"it is from 0 to {count - 1}, of {count} slots")

    def takes(self, ground: Ground) -> frozenset[str]:
        """Take the database."""
        return frozenset({ground.postgres.service.name})

    def prepare(self, ground: Ground) -> State:
        """Name the sessions that will take the slots."""
        return name_of_sessions()

    def begin(self, ground: Ground, state: State) -> None:
        """Take the slots, and return when a connection has been refused.

        Raises EngineError where none would have been let in before.
        """
        sessions = Sessions(ground, state)
        observer = sessions.open()
        count, login = _slots(ground, observer)
        _connect(ground, login).close()
        taken: list[Connection[Any]] = []

        def fill() -> None:
            [(used,)] = observer.execute(_USED).fetchall()
            missing = count - self.leave - used
            if missing > 0:
                expires = {"idle_session_timeout": round(self.expires_s * 1000)}
                taken.extend(sessions.open_many(missing, expires))
            for _ in range(min(-missing, len(taken))):
                taken.pop().close()

        state |= {"since_s": time(), "refusals": []}
        deadline, pause = monotonic() + _FULL_WITHIN_S, Event()
        fill()
        while not self._is_refused(ground, login, state):
            if monotonic() > deadline:
                raise FaultError(
                    "a connection is let in though all slots seem to be taken",
                    where=f"fault {self.name}",
                    seen=f"of {count} slots {len(taken)} taken, {self.leave} to be left",
                    todo="let those pause that open and close connections meanwhile",
                )
            pause.wait(0.01)
            fill()
        sessions.watch(fill, for_s=self.expires_s)

    def seen(self, ground: Ground, state: State) -> str:
        """Say how many connections were refused besides ours, by the database's own log.

        Where that does not show ours either, ours has to do.
        """
        if not state.get("refusals"):
            return ""
        with ground.postgres.connect() as connection:
            _, login = _slots(ground, connection)
        # The last line of the log that is waited for: what came before it is there too.
        self._is_refused(ground, login, state)
        words, ours = state["refusals"][0], len(state["refusals"])
        deadline, pause = monotonic() + _LOGGED_WITHIN_S, Event()
        while True:
            logged = ground.postgres.service.logs(since=state["since_s"]).count(words)
            if logged >= ours or monotonic() > deadline:
                break
            pause.wait(0.02)
        if not logged:
            return f"a connection was refused: {words}"
        return f"{logged - ours} connections were refused: {words}" if logged > ours else ""

    def heal(self, ground: Ground, state: State) -> None:
        """Give the slots back."""
        end_sessions(ground, state)

    def _is_refused(self, ground: Ground, login: Login, state: State) -> bool:
        """Tell whether one connection more than are left is refused, and note in which words."""
        with ExitStack() as opened:
            try:
                for _ in range(self.leave + 1):
                    opened.enter_context(closing(_connect(ground, login)))
            except EngineError as error:
                # '… failed: FATAL:  sorry, too many clients already', in the server's language
                state["refusals"].append(error.seen.rpartition(":  ")[2].strip())
                return True
        return False


def _connect(ground: Ground, login: Login) -> Connection[Any]:
    options = {"dbname": login.dbname} if login.dbname else {}
    return ground.postgres.connect(login.role, login.password, **options)


def _slots(ground: Ground, connection: Connection[Any]) -> tuple[int, Login]:
    """Return how many slots there are for those who are to be refused, and the login of one."""
    [(count, kept)] = connection.execute(_SLOTS).fetchall()
    ordinary = {name for (name,) in connection.execute(_ORDINARY)}
    for service in ground.project.services.values():
        for login in logins_of(service):
            if login.role in ordinary:
                return count - kept, login
    return count, Login(ground.postgres.user, ground.postgres.password)
