"""Packets arrive twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nomock.faults.packets.common import percentage
from nomock.faults.packets.queues import NetemFault
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class PacketDuplicate(NetemFault):
    """Each packet that the service sends is sent twice with a probability of so many percent."""

    kind = "packet_duplicate"

    percent: float

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for what is no percentage."""
        percentage(self, self.percent)
        super().validate_kind(control)

    def emulated(self) -> Sequence[str]:
        """Return the share of packets that are doubled."""
        return ["duplicate", f"{self.percent}%"]
