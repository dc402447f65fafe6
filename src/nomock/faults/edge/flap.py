"""The edge comes and goes."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from nomock.errors import NomockError
from nomock.faults.edge.common import Counted, EdgeState
from nomock.faults.edge.refused import Refused
from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class Flap(Refused):
    """Closes the edge for half of each period_ms, and opens it for the other half."""

    kind = "flap"

    period_ms: int

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a period that cannot be."""
        super().validate_kind(control)
        # Shorter ones are over before Toxiproxy has closed and opened the edge.
        whole_number(self, "period_ms", least=50, most=MOST_MS)

    def apply(self, control: StackControl, state: EdgeState) -> None:
        """Close it, and leave the rest to a thread."""
        super().apply(control, state)
        flapping = _Flapping(control, state["proxy"], self)
        control.live[state["token"]] = flapping
        flapping.thread.start()

    def revert(self, control: StackControl, state: EdgeState) -> None:
        """End the thread, if it is this process's, and leave the edge open."""
        if flapping := control.live.pop(state["token"], None):
            flapping.end()
        super().revert(control, state)

    def observe_effect(self, control: StackControl, state: EdgeState, begun: Counted) -> str:
        """Return what tried to pass."""
        attempts, to_server, _ = self.passed(control, state, begun)
        closed = control.live[state["token"]].closed
        if not attempts and not to_server:
            return ""
        return f"closed {closed} times, {attempts} attempts to connect"


class _Flapping:
    """The thread that opens and closes an edge, and leaves it open when the fault expires."""

    def __init__(self, control: StackControl, proxy: str, flap: Flap) -> None:
        self._control = control
        self._proxy = proxy
        self._edge = flap.edge
        self._half_s = flap.period_ms / 2000
        # A moment after the watchdog, which opens the edge once: what comes last is to open it.
        self._expires_s = monotonic() + flap.expires_s
        self._over = Event()
        self.closed = 1
        self.thread = Thread(target=self._run, daemon=True)

    def end(self) -> None:
        self._over.set()
        self.thread.join()

    def _run(self) -> None:
        toxiproxy = self._control.toxiproxy(self._proxy)
        is_open = False
        while not self._over.wait(min(self._half_s, self._expires_s - monotonic())):
            has_expired = monotonic() >= self._expires_s
            closes = is_open and not has_expired
            try:
                (toxiproxy.disable if closes else toxiproxy.enable)(self._edge)
            except NomockError:
                return  # Toxiproxy went away, which healing finds out, too
            if has_expired:
                return
            self.closed += closes
            is_open = not closes
