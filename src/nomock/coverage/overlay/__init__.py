"""The overlay that adds the spy to a compose project: made by asking each service for its Python.

``survey`` asks, ``overlay_text`` writes YAML of the answers, and the rest puts on disk what the
overlay mounts.
"""

from nomock.coverage.overlay.cores import with_wheels
from nomock.coverage.overlay.files import (
    SPY_OVERLAY,
    OverlayKind,
    provide_data_folder,
    provide_mounted_spy,
    provide_spy,
    spy_folder,
    write_overlay,
)
from nomock.coverage.overlay.finding import Finding, Python
from nomock.coverage.overlay.survey import survey
from nomock.coverage.overlay.text import (
    asked_in,
    is_as_written,
    joined,
    overlay_text,
    scalar,
    signed,
)

__all__ = [
    "SPY_OVERLAY",
    "Finding",
    "OverlayKind",
    "Python",
    "asked_in",
    "is_as_written",
    "joined",
    "overlay_text",
    "provide_data_folder",
    "provide_mounted_spy",
    "provide_spy",
    "scalar",
    "signed",
    "spy_folder",
    "survey",
    "with_wheels",
    "write_overlay",
]
