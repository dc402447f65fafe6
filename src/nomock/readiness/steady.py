"""Has a container that can be asked nothing come to rest?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from nomock.adapters.engine import Container
from nomock.errors import EngineError
from nomock.readiness.probes import Answer

# Most services that cannot run at all end while they start: a missing variable, a wrong argument.
# How long that takes depends on the machine, but it takes a CPU: who rests has started.
_EVERY_S = 0.25
_RESTS = 0.1  # of one CPU
# One that works all the time never rests.
_LONGEST_S = 3.0


class Steady:
    """Ready when the container has run for a moment, and no longer works on its start."""

    def __init__(self, cpu_s: Callable[[str], float]) -> None:
        """``cpu_s`` says how long a container has used a CPU, in seconds."""
        self._cpu_s = cpu_s
        self._first_s: dict[str, float] = {}
        self._looks: dict[str, tuple[float, float]] = {}

    def ask(self, container: Container, *, sure: bool) -> Answer:
        """Look how much it has worked since the last look."""
        now_s = monotonic()
        if sure and now_s - self._first_s.setdefault(container.id, now_s) < _LONGEST_S:
            return Answer(self._rests(container.id, now_s), "running")
        return Answer(True, "running")

    def _rests(self, container_id: str, now_s: float) -> bool:
        before_s, before_cpu_s = self._looks.get(container_id, (0.0, 0.0))
        if now_s - before_s < _EVERY_S:
            return False
        with suppress(EngineError):  # it has just ended, which the next look will show
            cpu_s = self._cpu_s(container_id)
            self._looks[container_id] = now_s, cpu_s
            return before_s > 0 and cpu_s - before_cpu_s < _RESTS * (now_s - before_s)
        return False
