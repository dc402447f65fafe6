"""The head of the answer promises all, half of the body comes, and then the connection ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.faults.http.common import HttpFault


@dataclass(frozen=True)
class HttpHalf(HttpFault):
    """Cuts the answer in half; one without a body passes whole, and does not count."""

    kind = "http_half"

    def action(self) -> Mapping[str, Any]:
        """Return what is done, as the proxy's rules have it."""
        return {"action": "half"}
