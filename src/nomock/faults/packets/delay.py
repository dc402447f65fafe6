"""A long line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.packets.queues import NetemFault
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class PacketDelay(NetemFault):
    """What the service sends is delayed by delay_ms, more or less jitter_ms, each packet by itself.

    With jitter packets overtake each other.
    """

    kind = "packet_delay"

    delay_ms: int
    jitter_ms: int = 0

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        whole_number(self, "delay_ms", least=1, most=MOST_MS)
        whole_number(self, "jitter_ms", least=0, most=MOST_MS)
        super().validate_kind(control)

    def emulated(self) -> Sequence[str]:
        """Return the delay."""
        return ["delay", f"{self.delay_ms}ms", f"{self.jitter_ms}ms"]
