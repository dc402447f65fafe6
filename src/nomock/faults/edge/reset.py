"""Connections are reset: what a caller of a process that died in the middle sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nomock.faults.edge.common import MOST_MS, ToxicFault
from nomock.faults.fault import State, whole_number

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class Reset(ToxicFault):
    """Resets each connection after_ms after its first data (RST), and ends those there are."""

    kind = "reset"
    toxic_type = "reset_peer"

    after_ms: int = 0

    def check(self, ground: Ground) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().check(ground)
        whole_number(self, "after_ms", least=0, most=MOST_MS)

    def attributes(self) -> Mapping[str, int]:
        """Return the time in milliseconds."""
        return {"timeout": self.after_ms}

    def apply(self, ground: Ground, state: State) -> None:
        """Add the toxics, and end the connections of the pools: those would only see an end."""
        super().apply(ground, state)
        ground.toxiproxy.disable(self.edge)
        ground.toxiproxy.enable(self.edge)

    def revert(self, ground: Ground, state: State) -> None:
        """Remove the toxics; open the edge, which a killed run may have left closed."""
        super().revert(ground, state)
        ground.toxiproxy.enable(self.edge)

    def undo(self, state: State) -> list[Mapping[str, Any]]:
        """Return the same for the keeper."""
        return [*super().undo(state), self.opening]
