"""What workers have to do: a file that the command writes, and the pieces of it that each takes.

A worker is a pytest process with a stack of its own. Each takes the next piece until none is left:
whose tests are slow takes fewer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from time import time
from typing import Any

from nomock.mutation import Mutant
from nomock.mutation.live.results import Result, file_of
from nomock.statefolder import writing

LANE_VARIABLE = "NOMOCK_MUTATION_LANE"
"""In the environment of a worker: its number, from 1 on."""


@dataclass(frozen=True)
class Round:
    """How far mutants are tried before all others had their turn."""

    each_s: float
    """How long tests may take with one mutant."""
    has_faults: bool = True
    """Whether tests run that break the stack: they are slow, and what they leave is mended."""
    is_last: bool = False
    """Whether all tests run, with several mutants on at once that nothing has noticed so far."""


ROUNDS = (Round(3.0, has_faults=False), Round(20.0), Round(inf, is_last=True))
"""One that survives takes all its tests, and so the time of many that do not: it comes last. With
several on at once time is only saved while few of them are noticed: so the likeliest come first."""


@dataclass(frozen=True)
class Task:
    """A mutant, and the tests that may notice it."""

    mutant: str
    number: int
    """The number by which the spy has it; 0 for one that is on from the start of a process."""
    tests: tuple[str, ...]
    """By node id, in the order in which they are to run."""
    others: tuple[str, ...]
    """Those that run the same function; they are asked where none of the first noticed it."""
    services: tuple[str, ...]
    """Those that run the file."""
    ran: tuple[str, ...] = ()
    """The tests that it has survived in an earlier round."""
    spent_s: float = 0.0
    """How long these usually take."""
    source: str = ""
    """A digest of the file."""
    row: int = 0
    """The number of the first mutant of its function, and of those within that."""
    change: Mutant | None = None
    """Of one of number 0: itself."""
    module: str = ""
    """What the spy knows its file by."""

    def after(self, done: Collection[str]) -> Task:
        """Return what is left to do once some tests have run, or could not tell."""
        tests = tuple(test for test in self.tests if test not in done)
        others = tuple(test for test in self.others if test not in done)
        return replace(self, tests=tests, others=others, ran=tuple(done))

    def first(self, killers: Collection[str]) -> Task:
        """Return the same with the tests in front that noticed the mutant before a change."""
        known = (*self.tests, *self.others)
        tests = (*(test for test in known if test in killers), *self.tests)
        others = tuple(test for test in self.others if test not in killers)
        return replace(self, tests=tuple(dict.fromkeys(tests)), others=others)


@dataclass(frozen=True)
class Job:
    """The mutants of a run that are still to be tried."""

    pieces: tuple[tuple[Task, ...], ...]
    """Each the tasks of one worker at a time."""
    limit_s: float
    """How long a mutant may keep a processor busy before it is taken to hang."""
    round: Round
    until_s: float
    """When no other mutant is to be begun, in seconds since the epoch."""
    root: str
    """The folder of the project."""
    results: str
    """The file that verdicts are appended to."""
    parent: int
    """The process that began it: a worker does not go on without it."""
    seconds: Mapping[str, float]
    """How long the tests took when they ran last."""
    tests: str
    """A digest of what all tests have in common."""
    test_files: Mapping[str, str]
    """Digests of the files of tests, by what the ids of their tests begin with."""

    def dated(self, task: Task, result: Result) -> Result:
        """Return a result with the digests of what it holds for."""
        tests = self.tests
        if result.killed_by:
            tests = self.test_files.get(file_of(result.killed_by[0]), tests)
        names = {file_of(test) for test in (*result.ran, *result.unable)}
        files = {name: self.test_files[name] for name in names & self.test_files.keys()}
        return replace(result, source=task.source, tests=tests, files=files)

    @property
    def is_over(self) -> bool:
        """Whether no other mutant is to be begun."""
        return time() >= self.until_s or os.getppid() != self.parent

    def write(self, path: Path) -> None:
        """Write it down for the workers; raises StateFolderError."""
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.glob(f"{path.name}.*"):
                old.unlink()
            path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Job:
        """Read what ``write`` wrote."""
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found["pieces"] = tuple(tuple(_task(task) for task in piece) for piece in found["pieces"])
        found["round"] = Round(**found["round"])
        return cls(**found)

    def taken(self, path: Path) -> Iterator[Sequence[Task]]:
        """Yield the pieces that this worker gets, until none is left or the time is over."""
        for number, piece in enumerate(self.pieces):
            if self.is_over:
                return
            try:
                os.close(os.open(f"{path}.{number}", os.O_CREAT | os.O_EXCL))
            except FileExistsError:  # another one's
                continue
            yield piece


def _task(found: dict[str, Any]) -> Task:
    lists = {name: tuple(found[name]) for name in ("tests", "others", "services", "ran")}
    change = found["change"] and Mutant(**found["change"])
    return Task(**{**found, **lists, "change": change})
