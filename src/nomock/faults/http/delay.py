"""The service does its work at once, and its answer comes late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.faults.http.common import HttpFault


@dataclass(frozen=True, kw_only=True)
class HttpDelay(HttpFault):
    """Holds the answer back for delay_ms, from when it begins."""

    kind = "http_delay"

    delay_ms: int

    def action(self) -> Mapping[str, Any]:
        """Return what is done, as the proxy's rules have it."""
        return {"action": "delay", "delay_ms": self.delay_ms}
