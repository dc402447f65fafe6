"""Why the tests of a run failed: their evidence, held against earlier runs and what changed."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nomock.adapters.git import changed_files
from nomock.config import Settings
from nomock.coverage.affected import (
    Affected,
    SinceGreen,
    as_ranges,
    load_baseline,
    run_of,
    since_green,
)
from nomock.coverage.harvest.contexts import Contexts
from nomock.coverage.session import RUN_VARIABLE, data_dir
from nomock.errors import NomockError
from nomock.evidence.causes import Cause, Known, causes_of
from nomock.project import Store
from nomock.quality.results import flakiness


def causes_of_run(
    settings: Settings, records: Sequence[dict[str, Any]], *, with_changes: bool
) -> list[list[Cause]]:
    """Return the causes of each test's failure, the likeliest first.

    ``with_changes``: look also for what changed since it was green, which may take a second.
    """
    changes = _Changes(settings) if with_changes else None
    return [
        causes_of(
            record,
            Known(
                flakiness(settings.state_dir, record["test"]["id"]),
                *(changes.of(record["test"]["id"]) if changes else ((), False)),
            ),
        )
        for record in records
    ]


def lines_since_green(settings: Settings, tests: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what evidence has as ``lines``, of tests of a covered run that has been harvested.

    Of a test that no covered run saw pass there is nothing.
    """
    folder = data_dir(settings)
    if run_of(folder) != os.environ.get(RUN_VARIABLE):
        return {}
    with suppress(NomockError):  # the first covered run, or data that cannot be read
        found = since_green(Contexts.of(folder), load_baseline(folder), tests)
        return {test: _lines(lines, settings.root) for test, lines in found.items()}
    return {}


def _lines(found: SinceGreen, root: Path) -> dict[str, Any]:
    return {
        "green_run": found.run,
        "only_now": {_shown(f, root): as_ranges(n) for f, n in found.only_now.items() if n},
        "only_when_green": {_shown(f, root): as_ranges(n) for f, n in found.only_then.items() if n},
        "changed": [_shown(file, root) for file in found.changed],
    }


class _Changes:
    """What changed since tests were green: of what each runs, or of all where that is not known."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._all: list[str] | None = None
        self._affected: Affected | None = None
        with suppress(NomockError):  # no covered run, or none that can be read
            self._affected = Affected(settings, data_dir(settings))

    def of(self, test: str) -> tuple[list[str], bool]:
        """Return what changed, in words, and whether the test is known to run it."""
        if self._affected is not None and test in self._affected.known:
            why = self._affected.choose([test], [test]).why(test)
            return why, bool(why)
        if self._all is None:
            green = Store(self._settings.state_dir, "last-green").read()
            commit = green.get("commit", "")
            found = changed_files(self._settings.root, commit) if commit else []
            self._all = [f"{_shown(path, self._settings.root)} changed" for path in found]
        return self._all, False


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
