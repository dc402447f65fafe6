"""A service is restarted."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.service_fault import (
    LifecycleFault,
    LivesState,
    containers,
    ensure_running,
    wait_until_listed,
)
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True)
class Restart(LifecycleFault):
    """It is stopped and started, and ready again when the block begins, on new ports."""

    kind = "restart"

    def begin(self, control: StackControl, state: LivesState) -> None:
        """Restart it; it is ready when this returns."""
        for id_ in state["before"]:
            control.target.stop(id_)
        wait_until_listed(control, self.service, lambda c: c.state != "running")
        ensure_running(control, self.service)

    def observe_effect(self, control: StackControl, state: LivesState, begun: object) -> str:
        """Say that it was started since."""
        began = []
        for container in containers(control, self.service):
            before = state["before"].get(container.id)
            life = control.target.container_state(container.id)
            if life and (before is None or life.started_at != before["started_at"]):
                began.append(life.started_at)
        return f"started again at {', '.join(began)}" if began else ""
