"""A connection ends late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.faults.edge.common import ToxicFault
from nomock.faults.fault import MOST_MS, whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class SlowClose(ToxicFault):
    """Holds back the end of a connection for delay_ms."""

    kind = "slow_close"
    toxic_type = "slow_close"

    delay_ms: int

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().validate_kind(control)
        whole_number(self, "delay_ms", least=1, most=MOST_MS)

    def attributes(self) -> Mapping[str, int]:
        """Return them as Toxiproxy names them."""
        return {"delay": self.delay_ms}
