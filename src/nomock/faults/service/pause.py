"""A service hangs."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.service_fault import LifecycleFault, LivesState, lives
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True)
class Pause(LifecycleFault):
    """All its processes are frozen; the kernel still accepts connections, and nobody answers."""

    kind = "pause"

    def begin(self, control: StackControl, state: LivesState) -> None:
        """Freeze it."""
        for id_ in state["before"]:
            control.target.pause(id_)

    def observe_effect(self, control: StackControl, state: LivesState, begun: object) -> str:
        """Say that it is frozen still, in the same life."""
        frozen = [
            before["started_at"] == life.started_at and life.state == "paused"
            for before, life in lives(control, state)
        ]
        return "its processes were frozen" if any(frozen) else ""
