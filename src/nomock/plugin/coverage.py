"""``--sidecar-coverage``: the services run with the spy, and which lines ran is reported."""

from __future__ import annotations

import os

from nomock.config import Settings
from nomock.coverage.harvest import harvest, new_run, prepare, report, table, tell_modules
from nomock.coverage.overlay import provide_mounted_spy
from nomock.coverage.overlay.wheels import provide_mounted
from nomock.coverage.session import (
    RUN_VARIABLE,
    check_overlay,
    covered,
    data_dir,
    inside,
    prove,
    unknown_to_overlay,
    with_spy,
)
from nomock.errors import CoverageError
from nomock.stack import Stack


def spied(settings: Settings, *, begin: bool) -> Settings:
    """Return the settings of a covered run; ``begin`` one, or take part in the controller's."""
    return with_spy(settings, new_run() if begin else None)


def look_at_overlay(settings: Settings, stack: Stack) -> None:
    """Raise ConfigError where the overlay gives no service the spy."""
    check_overlay(settings, stack)


def make_ready(settings: Settings, stack: Stack) -> None:
    """Empty the folder that the spies write to, and provide what else their services mount."""
    prepare(data_dir(settings), os.environ[RUN_VARIABLE])
    tell_modules(data_dir(settings), covered(stack))
    provide_mounted(stack.project)
    provide_mounted_spy(stack.project, settings.root)


def check(settings: Settings, stack: Stack) -> list[str]:
    """Make sure that every covered service reports what it runs; return what to know beforehand.

    Raises CanaryError.
    """
    return [*unknown_to_overlay(settings, stack), *prove(settings, stack)]


def harvested(settings: Settings, stack: Stack, *, allow_unmapped: bool) -> tuple[list[str], bool]:
    """Collect, write the reports, and return the table's lines and whether it is whole.

    Raises CoverageError where the records cannot be read.
    """
    found = harvest(
        data_dir(settings),
        covered(stack),
        os.environ[RUN_VARIABLE],
        allow_unmapped=allow_unmapped,
        inside=inside(stack),
    )
    errors = list(found.failures)
    lines = [*table([*found.services, found.total], found.silent), *found.notes]
    if found.total.files and found.data_file.exists():
        try:
            index = report(found, settings.root, settings.root / settings.coverage_report)
            lines.append(f"report: {index}")
        except CoverageError as error:  # the table is there all the same
            errors.append(error)
    for missing in errors:
        lines += ["", f"ERROR {missing}"]
    return lines, not errors
