"""The null fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.fault import Fault, State
from nomock.faults.reach import ARROW

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Nothing(Fault):
    """Does nothing: for a test that runs with a fault and without, to show what the fault does.

    With an edge or a service it holds that alone, as any fault there would: for a test whose fault
    leaves something behind in a service, such as an open circuit, until that has passed.
    """

    kind = "none"

    part: str = ""

    @property
    def where(self) -> str:
        """The part that it holds, or the whole stack, of which nothing is touched."""
        return self.part or "stack"

    def check(self, ground: Ground) -> None:
        """Raise UnknownEdgeError or UnknownServiceError for a part that there is not."""
        if self.part:
            (ground.edge if ARROW in self.part else ground.service)(self.part)

    def takes(self, ground: Ground) -> frozenset[str]:
        """Keep nobody waiting but at the part."""
        return frozenset({self.part} if self.part else ())

    def begin(self, ground: Ground, state: State) -> None:
        """Do nothing."""

    def seen(self, ground: Ground, state: State) -> str:
        """Have bitten: nothing was to be met."""
        return "nothing was done"

    def heal(self, ground: Ground, state: State) -> None:
        """Do nothing."""
