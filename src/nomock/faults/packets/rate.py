"""A slow line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nomock.faults.fault import whole_number
from nomock.faults.packets.common import PacketState
from nomock.faults.packets.queues import QdiscFault
from nomock.faults.stack_control import StackControl

_MOST_KBIT_S = 10_000_000
_FULL_PACKETS_BYTES = 2 * 1514


@dataclass(frozen=True, kw_only=True)
class PacketRate(QdiscFault):
    """What the service sends leaves at kbit_s (thousand bits a second), in all its connections.

    Two packets, or what it may send in 4 ms, leave at once; what has to wait for more than a second
    is dropped.
    """

    kind = "packet_rate"

    kbit_s: int

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a rate that cannot be."""
        whole_number(self, "kbit_s", least=1, most=_MOST_KBIT_S)
        super().validate_kind(control)

    def discipline(self) -> Sequence[str]:
        """Return the token bucket filter."""
        burst_bytes = max(_FULL_PACKETS_BYTES, self.kbit_s * 1000 // 8 // 250)
        return ["tbf", "rate", f"{self.kbit_s}kbit", "burst", f"{burst_bytes}", "latency", "1s"]

    def observe_effect(self, control: StackControl, state: PacketState, begun: object) -> str:
        """Return how many packets had to wait."""
        met = self.passed(control, state)
        if not met["overlimits"]:
            return ""
        return f"{met['packets']} packets left at {self.kbit_s} kbit/s, {met['drops']} were dropped"
