"""Waiting for spans by rule: until the expected ones are there; then for a quiet period.

A span is sent after it has ended, with all that ended within the export delay. So what is expected
is asked for until it is there, and what must not be there is judged only once nothing new has come
for more than twice that delay, and no span is missing that others name as their parent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from nomock.traces.model import Trace

_PAUSE_S = 0.01


@dataclass
class Waiting:
    """How one test waits for its spans."""

    read: Callable[[], Trace]
    """Returns the trace as far as it has arrived."""
    sent: Callable[[], int]
    """Returns how many requests the test has sent."""
    delay_s: float
    """After how long the services send a span that has ended."""
    within_s: float
    """How long it waits for what is expected."""
    _settled: tuple[int, Trace] | None = field(default=None, init=False)

    @property
    def quiet_s(self) -> float:
        """For how long nothing may come: more than twice the delay."""
        return 2.2 * self.delay_s

    def until(self, holds: Callable[[Trace], bool]) -> Trace:
        """Return the trace once it is as expected; or as it is when the time is over."""
        deadline = monotonic() + self.within_s
        while True:
            is_late = monotonic() > deadline
            began_s = monotonic()
            trace = self.read()
            if holds(trace) or is_late:
                return trace
            _pause(began_s)

    def settled(self, holds: Callable[[Trace], bool] = lambda trace: True) -> Trace:
        """Return the trace once it is as expected, whole, and nothing new has come for a while.

        Or as it is when the time is over.
        """
        deadline = monotonic() + self.within_s
        began_s = monotonic()
        sent, trace = self.sent(), self.read()
        quiet_since = monotonic()
        if self._settled is not None and self._settled[0] == sent:
            before = self._settled[1]
            if len(before.spans) == len(trace.spans) and holds(trace):
                return trace
        while monotonic() <= deadline:
            is_quiet = monotonic() - quiet_since > self.quiet_s
            if is_quiet and not trace.orphans and holds(trace):
                break
            _pause(began_s)
            began_s = monotonic()
            now = self.read()
            if len(now.spans) != len(trace.spans):
                quiet_since = monotonic()
            trace = now
        self._settled = (sent, trace)
        return trace


def _pause(began_s: float) -> None:
    """Pause for as long as the reading took that began then: a huge trace is read less often."""
    Event().wait(max(_PAUSE_S, monotonic() - began_s))
