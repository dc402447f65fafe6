"""What passes the edge comes in small pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.faults.edge.common import MOST_BYTES, ToxicFault
from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class Slice(ToxicFault):
    """Cuts data into pieces of size_bytes, with delay_us between them."""

    kind = "slice"
    toxic_type = "slicer"

    size_bytes: int = 1
    variation_bytes: int = 0
    delay_us: int = 0

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().validate_kind(control)
        whole_number(self, "size_bytes", least=1, most=MOST_BYTES)
        whole_number(self, "variation_bytes", least=0, most=MOST_BYTES)
        whole_number(self, "delay_us", least=0, most=1000 * MOST_MS)

    def attributes(self) -> Mapping[str, int]:
        """Return them as Toxiproxy names them."""
        return {
            "average_size": self.size_bytes,
            "size_variation": self.variation_bytes,
            "delay": self.delay_us,
        }
