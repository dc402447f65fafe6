"""The null fault."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.fault import Fault, NoState
from nomock.faults.stack_control import StackControl
from nomock.faults.topology import ARROW


@dataclass(frozen=True)
class NoFault(Fault):
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

    def validate_kind(self, control: StackControl) -> None:
        """Raise UnknownEdgeError or UnknownServiceError for a part that there is not."""
        if self.part:
            (control.edge if ARROW in self.part else control.service)(self.part)

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Keep nobody waiting but at the part."""
        return frozenset({self.part} if self.part else ())

    def begin(self, control: StackControl, state: NoState) -> None:
        """Do nothing."""

    def observe_effect(self, control: StackControl, state: NoState, begun: object) -> str:
        """Say that there is nothing to see: the null fault always counts as effective."""
        return "nothing was done"

    def heal(self, control: StackControl, state: NoState) -> None:
        """Do nothing."""
