"""The null fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.fault import Fault, State

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Nothing(Fault):
    """Does nothing: for a test that runs with a fault and without, to show what the fault does."""

    kind = "none"

    @property
    def where(self) -> str:
        """The whole stack, of which nothing is touched."""
        return "stack"

    def takes(self, ground: Ground) -> frozenset[str]:
        """Keep nobody waiting."""
        return frozenset()

    def begin(self, ground: Ground, state: State) -> None:
        """Do nothing."""

    def seen(self, ground: Ground, state: State) -> str:
        """Have bitten: nothing was to be met."""
        return "nothing was done"

    def heal(self, ground: Ground, state: State) -> None:
        """Do nothing."""
