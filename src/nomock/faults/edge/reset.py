"""Connections are reset: what a caller of a process that died in the middle sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.faults.edge.common import EdgeState, ToxicFault
from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class Reset(ToxicFault):
    """Resets each connection after_ms after its first data (RST), and ends those there are."""

    kind = "reset"
    toxic_type = "reset_peer"

    after_ms: int = 0

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().validate_kind(control)
        whole_number(self, "after_ms", least=0, most=MOST_MS)

    def attributes(self) -> Mapping[str, int]:
        """Return the time in milliseconds."""
        return {"timeout": self.after_ms}

    def apply(self, control: StackControl, state: EdgeState) -> None:
        """Add the toxics, and end the connections of the pools: those would only see an end."""
        super().apply(control, state)
        control.toxiproxy(state["proxy"]).disable(self.edge)
        control.toxiproxy(state["proxy"]).enable(self.edge)

    def revert(self, control: StackControl, state: EdgeState) -> None:
        """Remove the toxics; open the edge, which a killed run may have left closed."""
        super().revert(control, state)
        control.toxiproxy(state["proxy"]).enable(self.edge)

    def undo(self, state: EdgeState) -> list[Mapping[str, Any]]:
        """Return the steps by which the watchdog removes the toxics and opens the edge."""
        return [*super().undo(state), self.opening]
