"""A service is stopped as a deployment stops it."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.service_fault import (
    LifecycleFault,
    LivesState,
    are_gone,
    lives,
    wait_until_listed,
)
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True)
class Stop(LifecycleFault):
    """It gets its stop signal, and SIGKILL after its grace period; when healed it is started."""

    kind = "stop"

    def begin(self, control: StackControl, state: LivesState) -> None:
        """Stop it; it has ended when this returns."""
        for id_ in state["before"]:
            control.target.stop(id_)
        wait_until_listed(control, self.service, lambda c: c.state != "running")

    def observe_effect(self, control: StackControl, state: LivesState, begun: object) -> str:
        """Say that it has ended since."""
        ended = [
            life.exit_code
            for before, life in lives(control, state)
            if life.finished_at != before["finished_at"]
        ]
        if ended:
            return f"stopped, ended with {', '.join(map(str, ended))}"
        return "stopped, its pods are gone" if are_gone(control, state) else ""
