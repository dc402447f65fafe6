"""A service hangs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.fault import State
from nomock.faults.service.common import OnLife, lives

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Pause(OnLife):
    """All its processes are frozen; the kernel still accepts connections, and nobody answers."""

    kind = "pause"

    def begin(self, ground: Ground, state: State) -> None:
        """Freeze it."""
        for id_ in state["before"]:
            ground.engine.pause(id_)

    def seen(self, ground: Ground, state: State) -> str:
        """Say that it is frozen still, in the same life."""
        frozen = [
            before["started_at"] == life.started_at and life.state == "paused"
            for before, life in lives(ground, state)
        ]
        return "its processes were frozen" if any(frozen) else ""
