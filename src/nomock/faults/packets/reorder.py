"""Packets overtake each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.packets.common import percentage
from nomock.faults.packets.queues import NetemFault
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class PacketReorder(NetemFault):
    """What the service sends is delayed by delay_ms, but so many percent of it leave at once."""

    kind = "packet_reorder"

    percent: float
    delay_ms: int = 20

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        percentage(self, self.percent)
        whole_number(self, "delay_ms", least=1, most=MOST_MS)
        super().validate_kind(control)

    def emulated(self) -> Sequence[str]:
        """Return the delay, and the share of packets that have none."""
        return ["delay", f"{self.delay_ms}ms", "reorder", f"{self.percent}%"]
