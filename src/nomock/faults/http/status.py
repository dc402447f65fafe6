"""The service is not asked: the caller gets a status in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nomock.faults.http.common import HttpFault


@dataclass(frozen=True)
class HttpStatus(HttpFault):
    """Answers with a status and, if wanted, a body: text, or what becomes JSON."""

    kind = "http_status"

    status: int = 503
    body: Any = field(default=None, kw_only=True)

    def action(self) -> Mapping[str, Any]:
        """Return what is done, as the proxy's rules have it."""
        answer = {"action": "status", "status": self.status}
        if self.body is None:
            return answer
        if isinstance(self.body, str):
            return answer | {"body": self.body}
        return answer | {"body": json.dumps(self.body), "content_type": "application/json"}
