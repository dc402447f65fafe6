"""Progress as text: one live line where it can be rewritten, else a line a step, and now and then
one that says what a long step waits for.

It writes through a function that it is given: only the command line and the plugin know where to.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

_WRITES_A_SECOND = 10
# Where lines stay, in a CI's log: often enough to see that it goes on, seldom enough to read.
_FIRST_AGAIN_S = 5.0
_MOST_SELDOM_S = 30.0


class Progress:
    """Shows where something stands; ``end`` closes the live line."""

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        live_width: int | None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``live_width`` is the terminal's, in columns; None where a line cannot be rewritten."""
        self._write = write
        self._clock = clock
        self._live_width = live_width
        self._step = ""
        self._last_s = 0.0
        self._began_s = 0.0

    def show(self, text: str) -> None:
        """Show where it stands; what follows ``: `` or ``; `` is detail of the same step."""
        step = text.split(": ")[0].split("; ")[0]
        now_s = self._clock()
        is_new = step != self._step
        if is_new:
            self._began_s = now_s
        if self._live_width is None:
            if is_new:
                # What a step waits for is worth a line; the first line of a build is not.
                self._write(f"{text if text.startswith(f'{step}; ') else step}\n")
                self._last_s = now_s
            elif now_s - self._last_s >= self._pause_s():
                self._write(f"{text} ({now_s - self._began_s:.0f} s)\n")
                self._last_s = now_s
        elif is_new or now_s - self._last_s > 1 / _WRITES_A_SECOND:
            width = self._live_width - 1
            self._write(f"\r{text[:width]:<{width}}")
            self._last_s = now_s
        self._step = step

    def _pause_s(self) -> float:
        """How long nothing more is said of a step: the longer it takes, the longer."""
        return min(max(self._last_s - self._began_s, _FIRST_AGAIN_S), _MOST_SELDOM_S)

    def show_lasting(self, text: str) -> None:
        """Show a line that stays."""
        self.end()
        self._write(f"{text}\n")

    def show_waiting(self, holders: str) -> None:
        """Say for whom this process waits; ``holders`` are lines."""
        self.end()
        self._write("waiting for another run of this stack to end:\n")
        for holder in holders.splitlines() or ["(it has not said which)"]:
            self._write(f"  {holder}\n")

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self.end()
        self._write(f"{line}\n")

    def end(self) -> None:
        """Wipe the live line."""
        if self._live_width is not None and self._step:
            self._write(f"\r{'':<{self._live_width - 1}}\r")
        self._step = ""
