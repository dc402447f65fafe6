"""A service is stopped as a deployment stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.fault import State
from nomock.faults.service.common import OnLife, lives, until_listed

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Stop(OnLife):
    """It gets its stop signal, and SIGKILL after its grace period; when healed it is started."""

    kind = "stop"

    def begin(self, ground: Ground, state: State) -> None:
        """Stop it; it has ended when this returns."""
        for id_ in state["before"]:
            ground.engine.stop(id_)
        until_listed(ground, self.service, lambda c: c.state != "running")

    def seen(self, ground: Ground, state: State) -> str:
        """Say that it has ended since."""
        ended = [
            life.exit_code
            for before, life in lives(ground, state)
            if life.finished_at != before["finished_at"]
        ]
        return f"stopped, ended with {', '.join(map(str, ended))}" if ended else ""
