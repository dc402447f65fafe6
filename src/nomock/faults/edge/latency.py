"""What passes the edge comes later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.faults.edge.common import ToxicFault
from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class Latency(ToxicFault):
    """Holds back each packet for latency_ms, more or less jitter_ms."""

    kind = "latency"
    toxic_type = "latency"

    latency_ms: int
    jitter_ms: int = 0

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().validate_kind(control)
        whole_number(self, "latency_ms", least=1, most=MOST_MS)
        whole_number(self, "jitter_ms", least=0, most=MOST_MS)

    def attributes(self) -> Mapping[str, int]:
        """Return them as Toxiproxy names them."""
        return {"latency": self.latency_ms, "jitter": self.jitter_ms}
