""".gitignore and .dockerignore: what nomock writes belongs into neither a commit nor an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nomock.init.edits import Edit, read, with_lines, without_lines
from nomock.init.found import Found

_HEAD = "# written by nomock's tests"


def wanted(found: Found) -> Iterator[Edit]:
    """Yield an edit for each file in which a line is missing."""
    report = found.settings.coverage_report
    for path in _files(found):
        before = read(path)
        said = {line.strip().strip("/") for line in (before or "").splitlines()}
        lines = [line for line in _lines(path, report) if line.strip("/") not in said]
        if lines:
            yield Edit(path, before, with_lines(before, [_HEAD, *lines]))


def taken_away(found: Found) -> Iterator[Edit]:
    """Yield an edit for each file in which the lines are."""
    report = found.settings.coverage_report
    for path in _files(found):
        before = read(path)
        if before is not None and _HEAD in before.splitlines():
            after = without_lines(before, [_HEAD, *_lines(path, report)])
            yield Edit(path, before, after if after.strip() else None)


def _files(found: Found) -> list[Path]:
    return [found.folder / ".gitignore", *(c / ".dockerignore" for c in found.contexts)]


def _lines(path: Path, report: str) -> Sequence[str]:
    # In a .dockerignore a name alone is only one at the top of the context.
    deep = "**/" if path.name == ".dockerignore" else ""
    return [f"{deep}.nomock/", f"{deep}{report}/"]
