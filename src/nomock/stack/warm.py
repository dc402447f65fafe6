"""Which services are others than they should be only since a run with an overlay left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nomock.config import Settings
from nomock.stack.records import CONFIGURATION_CHANGED
from nomock.target import Container


def left_warm(
    settings: Settings, differences: Mapping[str, str], there: Iterable[Container]
) -> dict[str, str]:
    """Return these services, and which run it was; the next one without it starts them anew.

    ``differences`` has the reason of each service that is not as it should be.
    """
    told: dict[str, str] = {}
    changed = [c for c in there if differences.get(c.service) == CONFIGURATION_CHANGED]
    for overlay, run in (
        (settings.coverage_overlay, "with the spy, of a covered run"),
        (settings.traces_overlay, "with traces, of a traced run"),
    ):
        path = settings.root / overlay
        for service in {c.service for c in changed if path.exists() and c.is_of([path])}:
            told[service] = f"{told[service]}; {run}" if service in told else run
    return told
