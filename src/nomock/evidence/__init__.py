"""Evidence: what a failing test, or a run, shows of the services it ran on."""

from nomock.evidence.mishaps import Mishap, mishaps
from nomock.evidence.stories import Scene
from nomock.evidence.unasked import RunWindow, unasked
from nomock.evidence.window import Span, Window, settle

__all__ = [
    "Mishap",
    "RunWindow",
    "Scene",
    "Span",
    "Window",
    "mishaps",
    "settle",
    "unasked",
]
