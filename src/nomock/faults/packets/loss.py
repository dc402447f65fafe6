"""Packets get lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.packets.common import percentage
from nomock.faults.packets.rules import Dropping

if TYPE_CHECKING:
    from nomock.faults.ground import Ground

_PARTS = 100_000


@dataclass(frozen=True, kw_only=True)
class PacketLoss(Dropping):
    """Each packet is lost with a probability of so many percent, in each direction."""

    kind = "packet_loss"

    percent: float
    port: int | None = None

    def check(self, ground: Ground) -> None:
        """Raise ConfigError for what is no percentage."""
        super().check(ground)
        percentage(self, self.percent)

    def share(self) -> str:
        """Let chance decide."""
        return f"numgen random mod {_PARTS} <= {round(self.percent / 100 * _PARTS) - 1}"
