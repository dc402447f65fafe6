"""Compose's own healthcheck verdict."""

from __future__ import annotations

from nomock.readiness.first_start import FirstStart
from nomock.readiness.probe import ProbeAnswer
from nomock.target import Container


class Health:
    """Ready when the engine calls the container healthy."""

    port = None

    def __init__(self, first_start: FirstStart | None = None) -> None:
        """``first_start``: what is asked of a database beside that, None to ask nothing."""
        self._first_start = first_start

    @classmethod
    def of(cls, rest: str) -> Health:
        """Make the probe of the setting ``health``: the engine's word is enough."""
        return cls()

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Read the verdict that came with the container's state."""
        is_healthy = container.health == "healthy"
        if is_healthy and sure and self._first_start and (no := self._first_start.ask(container)):
            return no
        return ProbeAnswer(is_healthy, f"health: {container.health or 'none'}")
