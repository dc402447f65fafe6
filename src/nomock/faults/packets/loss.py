"""Packets get lost."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.packets.common import percentage
from nomock.faults.packets.rules import DropFault
from nomock.faults.stack_control import StackControl

_PARTS = 100_000


@dataclass(frozen=True, kw_only=True)
class PacketLoss(DropFault):
    """Each packet is lost with a probability of so many percent, in each direction."""

    kind = "packet_loss"

    percent: float
    port: int | None = None

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for what is no percentage."""
        super().validate_kind(control)
        percentage(self, self.percent)

    def share(self) -> str:
        """Let chance decide."""
        return f"numgen random mod {_PARTS} <= {round(self.percent / 100 * _PARTS) - 1}"
