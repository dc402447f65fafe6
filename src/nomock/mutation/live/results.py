"""What was found out about mutants: one line for each, written as it comes.

A run that is killed has lost no verdict, and the next one goes on from there: what is known of a
mutant holds as long as its file and its tests are what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.mutation.verdict import Status
from nomock.statefolder import append_line, make_state_dir, writing


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    mutant: str
    status: Status
    killed_by: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()
    """The tests that ran while it was on."""
    waiting: int = 0
    """How many tests are still to run: of one that has survived so far."""
    seconds: float = 0.0
    note: str = ""
    source: str = ""
    """A digest of its file."""
    tests: str = ""
    """A digest of the files of all tests; of a mutant that was noticed that of the test's."""


def results_file(state_dir: Path) -> Path:
    """Return the file of the results of a project."""
    return state_dir / "mutation" / "results.ndjson"


class Results:
    """The results of a project's mutants, of all runs that were not undone by a change."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, result: Result) -> None:
        """Write one down, so that it outlives this process. Raises StateFolderError."""
        make_state_dir(self._path.parent.parent)
        with writing(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self._path, json.dumps(_written(result)))

    def all(self) -> dict[str, Result]:
        """Return the last result of each mutant; a line that is broken is as if it were not."""
        found: dict[str, Result] = {}
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        for line in lines:
            try:
                result = _read(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
            found[result.mutant] = result
        return found

    def keep(self, results: Sequence[Result]) -> None:
        """Replace all by some. Raises StateFolderError."""
        with writing(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(".tmp")
            lines = (json.dumps(_written(result)) + "\n" for result in results)
            temporary.write_text("".join(lines), encoding="utf-8")
            temporary.replace(self._path)


def _written(result: Result) -> dict[str, Any]:
    return {name: value for name, value in vars(result).items() if value or name == "mutant"}


def _read(found: Mapping[str, Any]) -> Result:
    return Result(
        **{
            **found,
            "status": Status(found["status"]),
            "killed_by": tuple(found.get("killed_by", ())),
            "ran": tuple(found.get("ran", ())),
        }
    )
