"""Where the reports of mutants lie: beside those of coverage."""

from __future__ import annotations

import json
from pathlib import Path

from nomock.errors import MutationError
from nomock.mutation.report.elements import elements_of
from nomock.mutation.report.page import page_of
from nomock.mutation.report.results import Results


def write_reports(results: Results, folder: Path) -> Path:
    """Write ``mutants.html`` and ``mutants.json`` into a folder; return the page.

    Raises MutationError where the folder cannot be written.
    """
    page = folder / "mutants.html"
    coverage = "html/index.html" if (folder / "html/index.html").exists() else ""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            # A folder that was there is its user's, whatever is in it.
            (folder / ".gitignore").write_text("# made by nomock; may be deleted\n*\n")
        page.write_text(page_of(results, coverage=coverage), encoding="utf-8")
        told = json.dumps(elements_of(results))
        (folder / "mutants.json").write_text(told + "\n", encoding="utf-8")
    except OSError as error:
        raise MutationError(
            "the report of the mutants cannot be written", where=str(folder), seen=str(error)
        ) from error
    return page
