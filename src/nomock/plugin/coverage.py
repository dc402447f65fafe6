"""``--sidecar-coverage``: the services run with the spy, and which lines ran is reported."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.harvest import harvest, new_run, prepare, report, rows, source_of
from nomock.stack import Stack

# Read by the overlay: part of the spied services' configuration, so that they start anew with it.
RUN_VARIABLE = "NOMOCK_SPY_RUN"


def with_spy(settings: Settings, *, begin: bool) -> Settings:
    """Return the settings with the overlay that adds the spy; ``begin`` a covered run with it.

    The name of the run goes into the environment, from where compose and xdist's workers have it.
    """
    overlay = settings.root / settings.coverage_overlay
    if not overlay.is_file():
        raise ConfigError(
            "the overlay that adds the spy is not there",
            where=str(overlay),
            todo="write it as docs/coverage.md says, or name it: coverage_overlay in [tool.nomock]",
        )
    if begin:
        os.environ[RUN_VARIABLE] = new_run()
    return replace(settings, files=(*settings.files, overlay))


def make_ready(settings: Settings) -> None:
    """Empty the folder that the spies write to."""
    prepare(_data_dir(settings))


def harvested(settings: Settings, stack: Stack) -> tuple[list[str], bool]:
    """Collect, write the reports, and return the table's lines and whether it is whole.

    Raises CoverageError where nothing can be told.
    """
    sources = {
        name: source
        for name, service in stack.project.services.items()
        if (source := source_of(name, service.config)) is not None
    }
    found = harvest(_data_dir(settings), sources, os.environ[RUN_VARIABLE])
    lines = _table(rows(found))
    if found.damaged:
        lines.append(f"{found.damaged} damaged records were left out")
    index = report(found, settings.root / settings.coverage_report)
    lines.append(f"report: {index}")
    if found.failure is not None:
        lines += ["", "ERROR " + str(found.failure)]
    return lines, found.failure is None


def _data_dir(settings: Settings) -> Path:
    return settings.state_dir / "coverage"


def _table(body: list[tuple[str, str, str, str, str]]) -> list[str]:
    table = [("service", "files", "lines", "covered", "%"), *body]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    lines = []
    for row in table:
        numbers = [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *numbers]))
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
