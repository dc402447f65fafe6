"""What ``nomock flaky --hunt`` tells the runs that it starts: under which conditions they are."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

CONDITIONS = "NOMOCK_HUNT"
"""The variable by which it tells them: JSON, the fields of ``Conditions``."""


@dataclass(frozen=True)
class Conditions:
    """What a run is to stand, beside what it does itself."""

    busy: int = 0
    """How many processes keep the cores busy."""
    latency_ms: int = 0
    """How much slower each edge of its stacks is; the run itself makes it so."""

    def told(self) -> str:
        """Return the value of the variable."""
        return json.dumps(asdict(self))


def conditions() -> Conditions:
    """Return the conditions of this run; none where nobody hunts."""
    try:
        return Conditions(**json.loads(os.environ.get(CONDITIONS, "{}")))
    except (ValueError, TypeError):
        return Conditions()
