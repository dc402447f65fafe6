"""The overlay that adds traces to a compose project whose services know nothing of them."""

from nomock.traces.overlay.packages import provide_packages
from nomock.traces.overlay.text import TRACES_OVERLAY, can_be_traced, overlay_text

__all__ = ["TRACES_OVERLAY", "can_be_traced", "overlay_text", "provide_packages"]
