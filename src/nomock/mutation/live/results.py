"""What was found out about mutants: one line for each, written as it comes.

A run that is killed has lost no verdict, and the next one goes on from there: what is known of a
mutant holds as long as its file and its tests are what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    unable: tuple[str, ...] = ()
    """The tests that could not tell, since they do not pass without it."""
    reached: bool = False
    """Whether a service has done what it does."""
    seconds: float = 0.0
    note: str = ""
    source: str = ""
    """A digest of its file."""
    tests: str = ""
    """A digest of the file of the test that noticed it; else of what all tests have in common."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digests of the files of the tests that ran, or were unable, without noticing it."""

    def of(self, files: Mapping[str, str]) -> tuple[str, ...]:
        """Return the tests that ran, or were unable, in files that are as they are now."""
        tests = (*self.ran, *self.unable)
        return tuple(t for t in tests if self.files.get(file_of(t)) == files.get(file_of(t)))

    def after(self, passed: Passed) -> Result:
        """Return what is known once one more of its tests has not noticed it."""
        file = file_of(passed.test)
        is_same = self.files.get(file, passed.of) == passed.of
        ran = [t for t in self.ran if is_same or file_of(t) != file]
        unable = [t for t in self.unable if is_same or file_of(t) != file]
        (ran if passed.ran else unable).append(passed.test)
        return replace(
            self,
            ran=tuple(ran),
            unable=tuple(unable),
            reached=self.reached or self.mutant in passed.reached,
            files={**self.files, file: passed.of},
        )


@dataclass(frozen=True)
class Passed:
    """A test that did not notice some mutants."""

    test: str
    mutants: tuple[str, ...]
    ran: bool
    """Whether it could tell: it passes without any mutant."""
    reached: tuple[str, ...]
    """Those of them that a service has done so far."""
    of: str
    """A digest of its file."""


def file_of(test: str) -> str:
    """Return the file that a test's id begins with."""
    return test.partition("::")[0]


def results_file(state_dir: Path) -> Path:
    """Return the file of the results of a project."""
    return state_dir / "mutation" / "results.ndjson"


class Results:
    """The results of a project's mutants, of all runs that were not undone by a change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._all: dict[str, Result] = {}
        self._read = 0
        """How many bytes of the file have been read."""

    def add(self, found: Result | Passed) -> None:
        """Write one down, so that it outlives this process. Raises StateFolderError."""
        make_state_dir(self._path.parent.parent)
        with writing(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self._path, json.dumps(_written(found)))

    def all(self) -> Mapping[str, Result]:
        """Return what is known of each mutant; a line that is broken is as if it were not."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                news = file.read()
        except FileNotFoundError:
            return dict(self._all)
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            try:
                self._learn(_parsed(json.loads(line)))
            except (ValueError, KeyError, TypeError):
                continue
        return dict(self._all)

    def _learn(self, found: Result | Passed) -> None:
        if isinstance(found, Result):
            self._all[found.mutant] = found
            return
        for mutant in found.mutants:
            if mutant in self._all:
                self._all[mutant] = self._all[mutant].after(found)


def _written(found: Result | Passed) -> dict[str, Any]:
    return {name: value for name, value in vars(found).items() if value}


def _parsed(found: Mapping[str, Any]) -> Result | Passed:
    told: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
    }
    if "mutants" in told:
        return Passed(**{"ran": False, "reached": (), "of": "", **told})
    told["status"] = Status(told["status"])
    return Result(**told)
