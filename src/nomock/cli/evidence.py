"""``nomock evidence``: where the evidence of the last run is, or all of it as Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator

from nomock.config import Settings
from nomock.diagnosis import causes_of_run
from nomock.errors import EvidenceError
from nomock.evidence.folder import FILE, PAGE, EvidenceFolder
from nomock.evidence.markdown import markdown_of


def evidence(settings: Settings, *, markdown: bool) -> Iterator[str]:
    """Yield the lines; raise EvidenceError where no run has left any."""
    folder = EvidenceFolder(settings.state_dir)
    runs = folder.runs()
    if not runs:
        raise EvidenceError(
            "no run has left any",
            where=str(folder.path),
            todo="a test that fails leaves some; each does: pytest --evidence=all",
        )
    records, not_read = folder.read(runs[0])
    causes = causes_of_run(settings, records, with_changes=True)
    if markdown:
        yield markdown_of(records[0]["run"] if records else {"command": ""}, records, causes)
        return
    yield os.path.relpath(folder.of_run(runs[0]) / PAGE)
    for record, own in zip(records, causes, strict=True):
        test = record["test"]["id"]
        yield f"  {test}: {own[0].text if own else record['test']['outcome']}"
        yield f"    {os.path.relpath(folder.of_test(runs[0], test) / FILE)}"
    yield from not_read
