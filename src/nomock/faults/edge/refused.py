"""Nobody listens: connections are refused, and those there are end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.faults.edge.common import Counted, EdgeFault, EdgeState
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True)
class Refused(EdgeFault):
    """Closes the edge: what a caller of a service that does not run sees."""

    kind = "refused"
    closes_edge = True

    def apply(self, control: StackControl, state: EdgeState) -> None:
        """Close the edge."""
        control.toxiproxy(state["proxy"]).disable(self.edge)

    def revert(self, control: StackControl, state: EdgeState) -> None:
        """Open the edge."""
        control.toxiproxy(state["proxy"]).enable(self.edge)

    def undo(self, state: EdgeState) -> list[Mapping[str, Any]]:
        """Return the step by which the watchdog opens the edge."""
        return [self.opening]

    def observe_effect(self, control: StackControl, state: EdgeState, begun: Counted) -> str:
        """Return how many connections were refused."""
        attempts, _, _ = self.passed(control, state, begun)
        return f"{attempts} connections refused" if attempts else ""
