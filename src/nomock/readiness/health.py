"""Compose's own healthcheck verdict."""

from __future__ import annotations

from nomock.readiness.probe import ProbeAnswer
from nomock.target import Container


class Health:
    """Ready when the engine calls the container healthy."""

    port = None

    @classmethod
    def of(cls, rest: str) -> Health:
        """Make the probe of the setting ``health``."""
        return cls()

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Read the verdict that came with the container's state."""
        return ProbeAnswer(container.health == "healthy", f"health: {container.health or 'none'}")
