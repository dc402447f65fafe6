"""Progress on the terminal: one live line where it can be rewritten, else a line a step."""

from __future__ import annotations

from time import monotonic
from typing import Any

_WRITES_A_SECOND = 10


class Lines:
    """Writes progress texts; ``end`` closes the live line."""

    def __init__(self, writer: Any) -> None:
        # pytest's TerminalWriter, a class that pytest gives but does not export.
        self._writer = writer
        self._live = getattr(writer, "hasmarkup", False)
        self._step = ""
        self._last_s = 0.0

    def show(self, text: str) -> None:
        """Show where it stands; what follows ``: `` or ``; `` is detail of the same step."""
        step = text.split(": ")[0].split("; ")[0]
        if self._live:
            if step == self._step and monotonic() - self._last_s < 1 / _WRITES_A_SECOND:
                return
            self._last_s = monotonic()
            width = self._writer.fullwidth - 1
            self._writer.write(f"\r{f'nomock: {text}'[:width]:<{width}}", flush=True)
        elif step != self._step:
            self._writer.line(f"nomock: {step}", flush=True)
        self._step = step

    def show_waiting(self, holders: str) -> None:
        """Say for whom this run waits."""
        self.end()
        self._writer.line("nomock: waiting for another run of this stack to end:")
        for holder in holders.splitlines() or ["(it has not said which)"]:
            self._writer.line(f"nomock:   {holder}", flush=True)

    def end(self) -> None:
        """End the live line."""
        if self._live and self._step:
            width = self._writer.fullwidth - 1
            self._writer.write(f"\r{'':<{width}}\r", flush=True)
        self._step = ""
