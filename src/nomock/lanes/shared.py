"""No lane of its own: all workers use one stack, and tests keep apart by their data."""

from __future__ import annotations

from typing import Any

from nomock.lanes.lane import Lane, Say
from nomock.stack import Stack


class SharedLane(Lane):
    """The stack of the settings, which the controller makes ready and takes down."""

    kind = "shared"
    suffix = ""
    is_own = False

    @property
    def name(self) -> str:
        """The name of the stack of all."""
        return self.main.name

    def _made(self) -> Stack:
        return self.main

    def prepare(self, **how: Any) -> None:
        """Do nothing: others have it, too."""

    def remove(self, *, progress: Say, waiting: Say) -> None:
        """Do nothing: others have it, too."""
