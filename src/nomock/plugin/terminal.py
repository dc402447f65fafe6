"""Progress on pytest's own terminal, between what pytest writes there."""

from __future__ import annotations

import os
from typing import Any

import pytest

from nomock.progress import Progress


def progress_of(config: pytest.Config) -> Progress:
    """Return the progress of a process; that of an xdist worker, which has no terminal, is mute."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return Progress(lambda text: None, live_width=None)
    writer = config.get_terminal_writer()

    def write(text: str) -> None:
        terminal.ensure_newline()  # the dots of the tests end without one
        if writer.width_of_current_line and not text.startswith("\r"):
            writer.line()  # and under xdist pytest does not know
        writer.write(text, flush=True)

    # Not by its colours, which many CI systems force on where no line can be rewritten.
    live = terminal.isatty and os.environ.get("TERM") != "dumb"
    return Progress(write, live_width=writer.fullwidth if live else None)
