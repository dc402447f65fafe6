"""The overlay that puts the edges of any project behind Toxiproxy, without an edit of its files."""

from nomock.faults.overlay.calls import Call, calls, explicit
from nomock.faults.overlay.text import EDGES_OVERLAY, overlay_text
from nomock.faults.overlay.ways import Plan, Untaken, plan

__all__ = [
    "EDGES_OVERLAY",
    "Call",
    "Plan",
    "Untaken",
    "calls",
    "explicit",
    "overlay_text",
    "plan",
]
