"""Progress as text: one live line where it can be rewritten, else a line a step.

It writes through a function that it is given: only the command line and the plugin know where to.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

_WRITES_A_SECOND = 10


class Progress:
    """Shows where something stands; ``end`` closes the live line."""

    def __init__(self, write: Callable[[str], object], *, live_width: int | None) -> None:
        """``live_width`` is the terminal's, in columns; None where a line cannot be rewritten."""
        self._write = write
        self._live_width = live_width
        self._step = ""
        self._last_s = 0.0

    def show(self, text: str) -> None:
        """Show where it stands; what follows ``: `` or ``; `` is detail of the same step."""
        step = text.split(": ")[0].split("; ")[0]
        if self._live_width is None:
            if step != self._step:
                self._write(f"{step}\n")
        elif step != self._step or monotonic() - self._last_s > 1 / _WRITES_A_SECOND:
            width = self._live_width - 1
            self._write(f"\r{text[:width]:<{width}}")
            self._last_s = monotonic()
        self._step = step

    def show_waiting(self, holders: str) -> None:
        """Say for whom this process waits; ``holders`` are lines."""
        self.end()
        self._write("waiting for another run of this stack to end:\n")
        for holder in holders.splitlines() or ["(it has not said which)"]:
            self._write(f"  {holder}\n")

    def end(self) -> None:
        """Wipe the live line."""
        if self._live_width is not None and self._step:
            self._write(f"\r{'':<{self._live_width - 1}}\r")
        self._step = ""
