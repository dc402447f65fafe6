"""Has a one-shot done its work?"""

from __future__ import annotations

from nomock.readiness.probe import ProbeAnswer
from nomock.target import Container


class Done:
    """Ready when the container has ended with 0."""

    port = None

    @classmethod
    def of(cls, rest: str) -> Done:
        """Make the probe of the setting ``done``."""
        return cls()

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Say no: only a container that runs is asked."""
        return ProbeAnswer(False, "runs, has to end with 0")
