"""Why the tests of a run failed: their evidence, held against earlier runs and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nomock.adapters.git import changed_files
from nomock.config import Settings
from nomock.coverage.affected import Affected
from nomock.coverage.session import data_dir
from nomock.errors import NomockError
from nomock.evidence.causes import Cause, Known, causes_of
from nomock.evidence.outcomes import flakiness
from nomock.project import Store


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
                flakiness(settings, record["test"]["id"]),
                *(changes.of(record["test"]["id"]) if changes else ((), False)),
            ),
        )
        for record in records
    ]


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
