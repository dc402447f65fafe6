"""A long line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.edge.common import MOST_MS
from nomock.faults.fault import whole_number
from nomock.faults.packets.queues import Emulating

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class PacketDelay(Emulating):
    """What the service sends is delayed by delay_ms, more or less jitter_ms, each packet by itself.

    With jitter packets overtake each other.
    """

    kind = "packet_delay"

    delay_ms: int
    jitter_ms: int = 0

    def check(self, ground: Ground) -> None:
        """Raise ConfigError for a number that cannot be."""
        whole_number(self, "delay_ms", least=1, most=MOST_MS)
        whole_number(self, "jitter_ms", least=0, most=MOST_MS)
        super().check(ground)

    def emulated(self) -> Sequence[str]:
        """Return the delay."""
        return ["delay", f"{self.delay_ms}ms", f"{self.jitter_ms}ms"]
