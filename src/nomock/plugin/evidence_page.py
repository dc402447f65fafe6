"""The page of a run, made of the evidence of its tests when all have ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nomock.config import Settings
from nomock.diagnosis import causes_of_run, lines_since_green
from nomock.errors import StateFolderError
from nomock.evidence.folder import PAGE, EvidenceFolder, write_whole
from nomock.evidence.markdown import markdown_of
from nomock.evidence.page import page_of


def write_page(settings: Settings, run: str, about_run: Mapping[str, Any]) -> Path | None:
    """Write the page of a run and GitHub's summary, and let the evidence of older runs go.

    Returns where the page is; None where no test left evidence. Raises StateFolderError where it
    cannot be written.
    """
    folder = EvidenceFolder(settings.state_dir)
    records, _ = folder.read(run)
    if not records:
        return None
    lines = lines_since_green(settings, [record["test"]["id"] for record in records])
    for record in records:
        test = record["test"]["id"]
        if test in lines:
            record["lines"] = lines[test]
            with suppress(StateFolderError):  # on a full disk it stands as it was
                folder.write(run, test, json.dumps(record, indent=1))
    folder.keep(settings.evidence_runs)
    causes = causes_of_run(settings, records, with_changes=False)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        # https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
        with suppress(OSError), Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown_of(about_run, records, causes))
    path = folder.of_run(run) / PAGE
    shown = [[cause.as_json() for cause in own] for own in causes]
    write_whole(path, page_of(about_run, records, shown))
    return path
