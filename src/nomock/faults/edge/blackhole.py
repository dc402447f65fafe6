"""What is sent never arrives, and nobody is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.faults.edge.common import ToxicFault
from nomock.faults.fault import Direction


@dataclass(frozen=True, kw_only=True)
class Blackhole(ToxicFault):
    """Swallows all data; connections stay open, new ones too, until it is healed, and end then."""

    kind = "blackhole"
    toxic_type = "timeout"

    direction: Direction = "both"

    def attributes(self) -> Mapping[str, int]:
        """Return a time-out that never comes."""
        return {"timeout": 0}
