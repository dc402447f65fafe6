"""Has a container that can be asked nothing come to rest?"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from nomock.errors import TargetError
from nomock.readiness.probe import ProbeAnswer
from nomock.target import Container, Work

# Most services that cannot run at all end while they start: a missing variable, a wrong argument.
# How long that takes depends on the machine and on what else it does, but a start takes a CPU:
# whoever rests, and has rested a moment ago, has started.
_LOOK_EVERY_S = 0.25
_RESTS = 0.1  # of one CPU
# One that always works never rests; no start takes more than this, in seconds of a CPU.
_START_CPU_S = 3.0


class Steady:
    """Ready when the container no longer works on its start."""

    port = None

    def __init__(self, work: Callable[[str], Work]) -> None:
        """``work`` says what a container does; it may raise TargetError."""
        self._work = work
        self._looks: dict[str, tuple[float, Work]] = {}
        self._started: set[str] = set()

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Look at what it does, if the last look is long enough ago."""
        if sure and container.id not in self._started and self._has_started(container.id):
            self._started.add(container.id)
        is_ready = not sure or container.id in self._started
        return ProbeAnswer(is_ready, "running" if is_ready else "starts")

    def _has_started(self, container_id: str) -> bool:
        now_s = monotonic()
        before_s, before = self._looks.get(container_id, (0.0, None))
        if now_s - before_s < _LOOK_EVERY_S:
            return False
        try:
            work = self._work(container_id)
        except TargetError:  # it has just ended, which the next look will show
            return False
        self._looks[container_id] = now_s, work
        if before is None:
            return False
        used_s = work.cpu_s - before.cpu_s
        rests = not (before.is_busy or work.is_busy) and used_s < _RESTS * (now_s - before_s)
        return rests or work.cpu_s >= _START_CPU_S
