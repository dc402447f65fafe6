"""Does a container that can be asked nothing run on?"""

from __future__ import annotations

from time import monotonic

from nomock.adapters.engine import Container
from nomock.readiness.probes import Answer

# Most services that cannot run at all end sooner: a missing variable, a wrong argument.
_STEADY_S = 0.3


class Steady:
    """Ready when the container has been running for a moment."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}

    def ask(self, container: Container, *, sure: bool) -> Answer:
        """Look how long ago it was first seen to run."""
        ran_s = monotonic() - self._since_s.setdefault(container.id, monotonic())
        return Answer(not sure or ran_s >= _STEADY_S, "running")
