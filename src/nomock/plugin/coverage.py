"""``--sidecar-coverage``: the services run with the spy, and which lines ran is reported.

A run without the option has the null object.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Protocol

from nomock.config import Settings
from nomock.progress import Progress
from nomock.stack import Stack


class Coverage(Protocol):
    """What a run does about coverage, in the order of a run."""

    report: list[str]
    """What is shown of it at the end."""
    is_whole: bool
    """Whether this run has collected what its tests ran, of every covered service."""

    def check_overlay(self) -> None:
        """Raise ConfigError where no service can be covered; before anything is started."""

    def before_start(self) -> None:
        """Make ready what the covered services mount; before one of them starts."""

    def prove(self, stack: Stack) -> Iterable[str]:
        """Return notes once each covered service of a stack has proved that it records.

        Raises CanaryError.
        """

    def harvest(self, *, allow_unmapped: bool) -> None:
        """Collect what ran, write the reports, and fill in ``report`` and ``is_whole``."""


class NoCoverage:
    """The coverage of a run without it."""

    def __init__(self) -> None:
        self.report: list[str] = []
        self.is_whole = True

    def check_overlay(self) -> None:
        """Do nothing."""

    def before_start(self) -> None:
        """Do nothing."""

    def prove(self, stack: Stack) -> Iterable[str]:
        """Return no notes."""
        return ()

    def harvest(self, *, allow_unmapped: bool) -> None:
        """Do nothing."""


class SidecarCoverage:
    """The coverage of a run with ``--sidecar-coverage``; what it takes is loaded by this alone."""

    def __init__(self, settings: Settings, stack: Stack) -> None:
        from nomock.coverage.records import records_of
        from nomock.coverage.session import RUN_VARIABLE

        self._settings = settings
        self._stack = stack
        self._records = records_of(stack, os.environ[RUN_VARIABLE])
        self.report: list[str] = []
        self.is_whole = False

    def check_overlay(self) -> None:
        """Raise ConfigError where the overlay gives no service the spy."""
        from nomock.coverage.session import check_overlay

        check_overlay(self._settings, self._stack)

    def before_start(self) -> None:
        """Empty the folder that the spies write to, and provide what else their services mount."""
        from nomock.coverage.harvest import prepare, tell_modules
        from nomock.coverage.overlay import provide_mounted_spy
        from nomock.coverage.overlay.wheels import provide_mounted
        from nomock.coverage.session import RUN_VARIABLE, covered, data_dir

        prepare(data_dir(self._settings), os.environ[RUN_VARIABLE])
        tell_modules(data_dir(self._settings), covered(self._stack))
        provide_mounted(self._stack.project)
        provide_mounted_spy(self._stack.project, self._settings.root)

    def prove(self, stack: Stack) -> Iterable[str]:
        """Make sure that every covered service records; return what the report will lack.

        Raises CanaryError, or NotReadyError where a service has ended meanwhile.
        """
        from nomock.coverage.session import covered, prove, unknown_to_overlay

        settings, main = self._settings, self._stack
        if stack is main:
            self._records.begin()
        # A lane has the services of the first stack, which is the one that knows their sources.
        new = unknown_to_overlay(settings, main) if stack is main else []
        notes = [*new, *prove(settings, covered(main), stack, self._records.told)]
        stack.look_again()  # that took its time
        return notes

    def harvest(self, *, allow_unmapped: bool) -> None:
        """Collect what ran and write the reports; raises CoverageError where nothing can be read.

        A report that cannot be written is an error in the lines of the report: the table is there
        all the same.
        """
        from nomock.coverage.harvest import harvest, report, table
        from nomock.coverage.session import RUN_VARIABLE, covered, data_dir, inside
        from nomock.errors import CoverageError

        settings = self._settings
        self._records.end()
        found = harvest(
            data_dir(settings),
            covered(self._stack),
            os.environ[RUN_VARIABLE],
            allow_unmapped=allow_unmapped,
            inside=inside(self._stack),
        )
        errors = list(found.failures)
        self.report = [*table([*found.services, found.total], found.silent), *found.notes]
        if found.total.files and found.data_file.exists():
            try:
                index = report(found, settings.root, settings.root / settings.coverage_report)
                self.report.append(f"report: {index}")
            except CoverageError as error:
                errors.append(error)
        for missing in errors:
            self.report += ["", f"ERROR {missing}"]
        self.is_whole = not errors


def spied(settings: Settings, *, begin: bool, progress: Progress) -> Settings:
    """Return the settings of a covered run; ``begin`` one, or take part in the controller's."""
    from nomock.coverage.automatic import with_own_overlay
    from nomock.coverage.harvest import new_run
    from nomock.coverage.session import with_spy

    if not begin:
        return with_spy(settings)
    return with_spy(with_own_overlay(settings, progress), new_run())
