"""Two services cannot reach each other's containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.errors import NotPossibleError
from nomock.faults.fault import State
from nomock.faults.packets.rules import Dropping
from nomock.faults.service.common import existing

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class Apart(Dropping):
    """All packets between the two are dropped, beside the one: the part of ``isolate``.

    By the addresses that the other has when it begins: they are others once that is started again.
    """

    kind = "isolate"

    other: str
    port: int | None = None

    def check(self, ground: Ground) -> None:
        """Refuse two services that reach each other on no network."""
        super().check(ground)
        if not self._addresses(ground):
            raise NotPossibleError(
                f"no edge and no network leads to {self.other}",
                where=f"fault {self.name}",
                todo="look how they reach each other, and break that",
            )

    def takes(self, ground: Ground) -> frozenset[str]:
        """Take both."""
        return frozenset({self.service, self.other})

    def noted(self, ground: Ground) -> State:
        """Return the other's addresses."""
        return {"addresses": self._addresses(ground)}

    def share(self) -> str:
        """Drop all."""
        return ""

    def meant(self, state: State, way: str) -> Sequence[str]:
        """Return those of the other's addresses."""
        side = "saddr" if way == "to" else "daddr"
        return [f"ip{'6' if ':' in a else ''} {side} {a}" for a in state["addresses"]]

    def _addresses(self, ground: Ground) -> list[str]:
        own = {n for c in existing(ground, self.service) for n in ground.engine.addresses(c.id)}
        return [
            address
            for container in existing(ground, self.other)
            for network, addresses in ground.engine.addresses(container.id).items()
            for address in addresses
            if network in own
        ]
