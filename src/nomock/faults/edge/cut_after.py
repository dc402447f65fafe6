"""A connection ends in the middle of what it transports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.faults.edge.common import MOST_BYTES, ToxicFault
from nomock.faults.fault import whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class CutAfter(ToxicFault):
    """Ends each connection once after_bytes have passed."""

    kind = "cut_after"
    toxic_type = "limit_data"

    after_bytes: int

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().validate_kind(control)
        whole_number(self, "after_bytes", least=0, most=MOST_BYTES)

    def attributes(self) -> Mapping[str, int]:
        """Return them as Toxiproxy names them."""
        return {"bytes": self.after_bytes}
