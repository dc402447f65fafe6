"""Which services are others than they should be only since a run with an overlay left them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from nomock.stack.records import CONFIGURATION_CHANGED, IMAGE_CHANGED
from nomock.stack.stack import Stack
from nomock.target import Container


def replay_overlay(stack: Stack) -> Path:
    """Return the compose file with the images of a replay; there is one where one needed it."""
    return stack.settings.state_dir / "replay" / f"{stack.name}.yml"


def left_warm(
    stack: Stack, differences: Mapping[str, str], there: Sequence[Container]
) -> dict[str, str]:
    """Return these services, and which run it was; the next one without it starts them anew.

    ``differences`` has the reason of each service that is not as it should be.
    """
    told: dict[str, list[str]] = {}
    for path, run, reasons in _overlays(stack):
        for container in there if path.exists() else ():
            name = container.service
            if differences.get(name) in reasons and container.is_of([path]):
                told.setdefault(name, []).append(run)
    return {name: "; ".join(dict.fromkeys(runs)) for name, runs in told.items()}


def _overlays(stack: Stack) -> Iterator[tuple[Path, str, Collection[str]]]:
    """Yield each overlay, what is to be said of its services, and how they differ by it."""
    root, settings = stack.settings.root, stack.settings
    config = (CONFIGURATION_CHANGED,)
    yield root / settings.coverage_overlay, "with the spy, of a covered run", config
    yield root / settings.traces_overlay, "with traces, of a traced run", config
    yield replay_overlay(stack), "with the image of a replay", (*config, IMAGE_CHANGED)
