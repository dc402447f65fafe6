"""The request reaches the service twice, as over a network that promises at least once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.faults.http.common import HttpFault


@dataclass(frozen=True)
class HttpTwice(HttpFault):
    """Sends the request again when it has been answered; the caller gets the second answer."""

    kind = "http_twice"

    def action(self) -> Mapping[str, Any]:
        """Return what is done, as the proxy's rules have it."""
        return {"action": "twice"}
