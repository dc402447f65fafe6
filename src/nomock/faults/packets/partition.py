"""Two services cannot reach each other's containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nomock.errors import NotPossibleError
from nomock.faults.packets.common import PacketState
from nomock.faults.packets.rules import DropFault
from nomock.faults.service_fault import existing
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class Partition(DropFault):
    """All packets between the two are dropped, beside the one: the part of ``isolate``.

    By the addresses that the other has when it begins: they are others once that is started again.
    """

    kind = "isolate"

    other: str
    port: int | None = None

    def validate_kind(self, control: StackControl) -> None:
        """Refuse two services that reach each other on no network."""
        super().validate_kind(control)
        if not self._addresses(control):
            raise NotPossibleError(
                f"no edge and no network leads to {self.other}",
                where=f"fault {self.name}",
                todo="look how they reach each other, and break that",
            )

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Take both."""
        return frozenset({self.service, self.other})

    def note(self, control: StackControl, state: PacketState) -> None:
        """Note the other's addresses."""
        state["addresses"] = self._addresses(control)

    def share(self) -> str:
        """Drop all."""
        return ""

    def meant(self, state: PacketState, way: str) -> Sequence[str]:
        """Return those of the other's addresses."""
        side = "saddr" if way == "to" else "daddr"
        return [f"ip{'6' if ':' in a else ''} {side} {a}" for a in state["addresses"]]

    def _addresses(self, control: StackControl) -> list[str]:
        own = {n for c in existing(control, self.service) for n in control.target.addresses(c.id)}
        return [
            address
            for container in existing(control, self.other)
            for network, addresses in control.target.addresses(container.id).items()
            for address in addresses
            if network in own
        ]
