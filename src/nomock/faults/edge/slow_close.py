"""A connection ends late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.edge.common import MOST_MS, ToxicFault
from nomock.faults.fault import whole_number

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class SlowClose(ToxicFault):
    """Holds back the end of a connection for delay_ms."""

    kind = "slow_close"
    toxic_type = "slow_close"

    delay_ms: int

    def check(self, ground: Ground) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().check(ground)
        whole_number(self, "delay_ms", least=1, most=MOST_MS)

    def attributes(self) -> Mapping[str, int]:
        """Return them as Toxiproxy names them."""
        return {"delay": self.delay_ms}
