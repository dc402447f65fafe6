"""The spy: records which lines of a service ran, and writes them down while the service runs.

Standard library only, and little of that: each import here delays the start of every process.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from nomock_spy.settings import Settings
from nomock_spy.writer import Writer


def start(environ: Mapping[str, str]) -> None:
    """Start recording in this process, as the environment says."""
    settings = Settings(environ)
    if sys.version_info >= (3, 12):
        from nomock_spy.appfiles import AppFiles
        from nomock_spy.recorder import record

        writer = Writer(settings)
        if writer.open():
            record(AppFiles(settings.roots), writer)
    else:
        from nomock_spy.guard import say

        reason = f"Python {sys.version.split()[0]} has no sys.monitoring, it came with 3.12"
        if Writer(settings, unsupported=reason).open():
            say(f"not recording: {reason}")
