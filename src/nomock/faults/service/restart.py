"""A service is restarted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.fault import State
from nomock.faults.service.common import OnLife, lives, run_again, until_listed

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Restart(OnLife):
    """It is stopped and started, and ready again when the block begins, on new ports."""

    kind = "restart"

    def begin(self, ground: Ground, state: State) -> None:
        """Restart it; it is ready when this returns."""
        for id_ in state["before"]:
            ground.engine.stop(id_)
        until_listed(ground, self.service, lambda c: c.state != "running")
        run_again(ground, self.service)

    def seen(self, ground: Ground, state: State) -> str:
        """Say that it was started since."""
        began = [
            life.started_at
            for before, life in lives(ground, state)
            if life.started_at != before["started_at"]
        ]
        return f"started again at {', '.join(began)}" if began else ""
