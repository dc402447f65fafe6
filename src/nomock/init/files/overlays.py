"""The compose files that other commands wrote beside the project's own, for the end of it all."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.coverage.overlay import is_as_written
from nomock.faults.http.program import put_files
from nomock.init.edits import Edit, read
from nomock.init.found import Found


def taken_away(found: Found) -> Iterator[Edit]:
    """Yield the edits that remove overlays, and the program that one runs, as they were written."""
    settings = found.settings
    names = (settings.coverage_overlay, settings.traces_overlay, settings.edges_overlay)
    for path in (settings.root / name for name in names):
        text = read(path)
        if text is not None and is_as_written(text):
            yield Edit(path, text, None)
    for path, written in put_files(settings.root):
        if read(path) == written:
            yield Edit(path, written, None)
