"""What all faults on an edge have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, ClassVar, TypedDict
from urllib.parse import quote

from nomock.adapters.toxiproxy import Toxic
from nomock.errors import FaultError, NomockError, UnknownEdgeError
from nomock.faults.fault import Direction, Fault, expired, wrong
from nomock.faults.stack_control import StackControl
from nomock.faults.topology import proxies
from nomock.faults.watchdog import Watchdog, until_left_are_undone
from nomock.project import Project

MOST_BYTES = 2**31 - 1

_STREAMS: Mapping[str, tuple[str, ...]] = {
    "to": ("upstream",),
    "from": ("downstream",),
    "both": ("upstream", "downstream"),
}


class EdgeState(TypedDict):
    """How the fault of an edge is found again."""

    token: str
    """In the names of its toxics, and of its guard; no other fault has it."""
    proxy: str
    """The service that is the Toxiproxy of its edge."""


@dataclass(frozen=True)
class Counted:
    """What a watchdog had counted on an edge when a fault began."""

    watchdog: str
    """The watchdog's id: another one has counted something else."""
    proxy_began: str
    """When Toxiproxy began: in a pod the watchdog outlives it, but what is broken does not."""
    port: int
    attempts: int
    to_server: int
    from_server: int


@dataclass(frozen=True)
class EdgeFault(Fault):
    """A fault on an edge: what passed it is counted in Toxiproxy's network namespace.

    A watchdog there counts, and undoes the fault where this process is killed.
    """

    edge: str

    closes_edge: ClassVar[bool] = False
    """Whether nothing passes the edge while it is on, so that no other fault can bite there."""

    @property
    def where(self) -> str:
        """The edge."""
        return self.edge

    def validate_kind(self, control: StackControl) -> None:
        """Raise UnknownEdgeError for an edge that there is not."""
        control.edge(self.edge)

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict the same kind, and whatever cannot pass an edge that is closed."""
        if not isinstance(other, EdgeFault) or other.edge != self.edge:
            return False
        return self.kind == other.kind or self.closes_edge or other.closes_edge

    def begin(self, control: StackControl, state: EdgeState) -> Counted:
        """Tell the watchdog how to mend the edge, break it, and return what was counted before."""
        watchdog = control.known_watchdog(state["proxy"])
        port = control.edge(self.edge).listen_port
        now = watchdog.counts([port])[port]
        began = _began(control, watchdog)
        counted = Counted(watchdog.id, began, port, now.attempts, now.to_server, now.from_server)
        watchdog.guard(state["token"], self.undo(state), self.expires_s)
        self.apply(control, state)
        return counted

    def prepare(self, control: StackControl) -> EdgeState:
        """Have a watchdog beside Toxiproxy, and return a token that makes names of its own."""
        proxy = control.proxy_of(self.edge)
        watchdog = control.watchdog(proxy)
        until_left_are_undone(control.target, watchdog.container_id)
        return {"token": f"nomock-{token_hex(4)}", "proxy": proxy}

    def heal(self, control: StackControl, state: EdgeState) -> None:
        """Mend the edge, if Toxiproxy still is the process in which it was broken."""
        proxy = state["proxy"]
        if proxy not in control.project.services:
            return  # it has left the stack
        try:
            self._revert(control, state)
        except NomockError:
            if not control.runs(proxy):
                return  # what it knew went with it
            # Started again by somebody else, as with the engine, it answers at another port.
            control.forget(proxy)
            control.stack.wait_ready(proxy)
            self._revert(control, state)
        if watchdog := control.kept(proxy):
            watchdog.unguard(state["token"])

    def _revert(self, control: StackControl, state: EdgeState) -> None:
        # The edge may have another name now, or be none, and Toxiproxy was made anew for that.
        with suppress(UnknownEdgeError):
            self.revert(control, state)

    def by_hand(self, project: Project) -> str:
        """Name the service that holds the toxics, and forgets them when it is started again."""
        proxy = " or ".join(proxies(project)) or "the service that is Toxiproxy"
        return f"the edge {self.edge} may be slow or closed still: docker compose restart {proxy}"

    def passed(
        self, control: StackControl, state: EdgeState, begun: Counted
    ) -> tuple[int, int, int]:
        """Return attempts to connect, and packets with data to and from the server, since begin.

        Raises FaultError where these are not those that met it.
        """
        watchdog = control.kept(state["proxy"])
        is_same = watchdog is not None and watchdog.id == begun.watchdog
        if watchdog is None or not is_same or _began(control, watchdog) != begun.proxy_began:
            raise FaultError(
                "what passed it was not counted to the end",
                where=f"edge {self.edge}",
                seen="the watchdog that counted has ended, or Toxiproxy is another process than it "
                "was; was it restarted meanwhile?",
            )
        now = watchdog.counts([begun.port])[begun.port]
        if state["token"] in watchdog.undone:  # what came later did not meet it
            raise expired(self, watchdog.undone[state["token"]])
        return (
            now.attempts - begun.attempts,
            now.to_server - begun.to_server,
            now.from_server - begun.from_server,
        )

    @property
    def path(self) -> str:
        """The edge's place at Toxiproxy's control port, as the watchdog asks there."""
        return f"/proxies/{quote(self.edge, safe='')}"

    @property
    def opening(self) -> Mapping[str, Any]:
        """How the watchdog opens the edge."""
        return {"http": ["PATCH", self.path, {"enabled": True}]}

    @abstractmethod
    def apply(self, control: StackControl, state: EdgeState) -> None:
        """Break the edge."""

    @abstractmethod
    def revert(self, control: StackControl, state: EdgeState) -> None:
        """Mend the edge; also one that was never broken."""

    @abstractmethod
    def undo(self, state: EdgeState) -> list[Mapping[str, Any]]:
        """Return the steps by which the watchdog mends the edge."""


@dataclass(frozen=True, kw_only=True)
class ToxicFault(EdgeFault):
    """A fault on an edge that is one toxic in each direction that it has."""

    direction: Direction = "from"

    toxic_type: ClassVar[str]
    """Toxiproxy's name for it."""

    def validate_kind(self, control: StackControl) -> None:
        """Raise UnknownEdgeError or, for an argument that cannot be, ConfigError."""
        super().validate_kind(control)
        if self.direction not in _STREAMS:
            raise wrong(self, "direction", self.direction, 'it is "to", "from" or "both"')

    @abstractmethod
    def attributes(self) -> Mapping[str, int]:
        """Return the toxic's attributes."""

    def apply(self, control: StackControl, state: EdgeState) -> None:
        """Add the toxics."""
        for name, stream in self._toxics(state):
            toxic = Toxic(name, self.toxic_type, stream, self.attributes())
            control.toxiproxy(state["proxy"]).add(self.edge, toxic)

    def revert(self, control: StackControl, state: EdgeState) -> None:
        """Remove the toxics."""
        for name, _ in self._toxics(state):
            control.toxiproxy(state["proxy"]).remove(self.edge, name)

    def undo(self, state: EdgeState) -> list[Mapping[str, Any]]:
        """Return how the watchdog removes the toxics."""
        return [
            {"http": ["DELETE", f"{self.path}/toxics/{name}", None]}
            for name, _ in self._toxics(state)
        ]

    def observe_effect(self, control: StackControl, state: EdgeState, begun: Counted) -> str:
        """Return how many packets with data came through it."""
        _, to_server, from_server = self.passed(control, state, begun)
        # A request meets what its answer would meet, also where that never comes.
        count = to_server + (from_server if self.direction != "to" else 0)
        return f"{count} packets with data met it" if count else ""

    def _toxics(self, state: EdgeState) -> list[tuple[str, str]]:
        return [(f"{state['token']}-{stream}", stream) for stream in _STREAMS[self.direction]]


def _began(control: StackControl, watchdog: Watchdog) -> str:
    """Return when the container that a watchdog is beside was started; "" if it is gone."""
    life = control.target.container_state(watchdog.container_id)
    return life.started_at if life is not None else ""
