"""The null probe."""

from __future__ import annotations

from nomock.readiness.probe import ProbeAnswer
from nomock.target import Container


class NoProbe:
    """Ready as soon as the container runs."""

    port = None

    @classmethod
    def of(cls, rest: str) -> NoProbe:
        """Make the probe of the setting ``none``."""
        return cls()

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Say yes."""
        return ProbeAnswer(True, "running")
