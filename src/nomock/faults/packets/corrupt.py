"""Packets arrive damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.packets.common import percentage
from nomock.faults.packets.queues import Emulating

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class PacketCorrupt(Emulating):
    """One bit of each packet that the service sends is wrong with a probability of so many percent.

    The receiver notices by the checksum: to TCP it is a loss.
    """

    kind = "packet_corrupt"

    percent: float

    def check(self, ground: Ground) -> None:
        """Raise ConfigError for what is no percentage."""
        percentage(self, self.percent)
        super().check(ground)

    def emulated(self) -> Sequence[str]:
        """Return the share of packets that are damaged."""
        return ["corrupt", f"{self.percent}%"]
