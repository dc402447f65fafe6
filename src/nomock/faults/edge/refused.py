"""Nobody listens: connections are refused, and those there are end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nomock.faults.edge.common import EdgeFault
from nomock.faults.fault import State

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Refused(EdgeFault):
    """Closes the edge: what a caller of a service that does not run sees."""

    kind = "refused"
    closes_edge = True

    def apply(self, ground: Ground, state: State) -> None:
        """Close it."""
        ground.toxiproxy.disable(self.edge)

    def revert(self, ground: Ground, state: State) -> None:
        """Open it."""
        ground.toxiproxy.enable(self.edge)

    def undo(self, state: State) -> list[Mapping[str, Any]]:
        """Return the same for the keeper."""
        return [self.opening]

    def seen(self, ground: Ground, state: State) -> str:
        """Return how many connections were refused."""
        attempts, _, _ = self.met(ground, state)
        return f"{attempts} connections refused" if attempts else ""
