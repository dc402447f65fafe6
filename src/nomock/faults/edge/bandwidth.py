"""Little passes the edge at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.faults.edge.common import MOST_BYTES, ToxicFault
from nomock.faults.fault import whole_number
from nomock.faults.stack_control import StackControl


@dataclass(frozen=True, kw_only=True)
class Bandwidth(ToxicFault):
    """Lets kb_s kilobytes a second through."""

    kind = "bandwidth"
    toxic_type = "bandwidth"

    kb_s: int

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a number that cannot be."""
        super().validate_kind(control)
        whole_number(self, "kb_s", least=1, most=MOST_BYTES)

    def attributes(self) -> Mapping[str, int]:
        """Return them as Toxiproxy names them."""
        return {"rate": self.kb_s}
