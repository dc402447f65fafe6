"""From files to what workers have to do: mutants, what the spy is told, and who tests them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nomock.adapters.git import Revision
from nomock.config import Settings
from nomock.coverage.affected import digest_of, load_baseline, state_now
from nomock.coverage.affected.blocks import blocks_of
from nomock.coverage.affected.state import is_named_as_test
from nomock.coverage.session import data_dir
from nomock.errors import MutationError
from nomock.mutation import Mutant, Status, decoded, mutants_of
from nomock.mutation.functions import Told, told_of
from nomock.mutation.live.choice import Choice, Tests, runs_of
from nomock.mutation.live.job import Task
from nomock.mutation.live.results import Result, file_of
from nomock.mutation.live.together import groups_of
from nomock.project import Project


@dataclass(frozen=True)
class Planned:
    """A mutant, and what is known before it is tried."""

    mutant: Mutant
    number: int
    """As the spy has it; 0 where it has to be there from the start of a process."""
    tests: Tests
    told: Told
    file: Path
    source: str
    """A digest of its file."""


@dataclass
class Plan:
    """All mutants of a run."""

    choice: Choice
    planned: list[Planned] = field(default_factory=list)
    tests_digest: str = ""
    """Of what all tests have in common: helpers, a conftest."""
    test_files: Mapping[str, str] = field(default_factory=dict)
    """Digests of the files of tests, by what the ids of their tests begin with."""
    stale: Sequence[Path] = ()
    """Files that nobody named and that have changed since a covered run saw them."""

    @property
    def modules(self) -> list[Told]:
        """What the spy is told."""
        return list({id(one.told): one.told for one in self.planned}.values())

    def is_known(self, result: Result, planned: Planned) -> bool:
        """Tell whether what was found out about a mutant need not be found out again.

        One that has survived so far may still have tests that are ``left``.
        """
        return result.status is not Status.ERROR and self.is_of_now(result, planned)

    def is_of_now(self, result: Result, planned: Planned) -> bool:
        """Tell whether what was found out about a mutant holds: nothing of it has changed."""
        if result.source != planned.source:
            return False
        if result.killed_by:
            return result.tests == self.test_files.get(file_of(result.killed_by[0]))
        return result.tests == self.tests_digest

    def left(self, result: Result, planned: Planned) -> list[str]:
        """Return the tests that a survivor has not met as they are now."""
        if result.status is not Status.SURVIVED:
            return []
        met = set(result.of(self.test_files))
        tests = (*planned.tests.line, *planned.tests.others)
        return [test for test in tests if test not in met]

    def tasks(
        self,
        planned: Iterable[Planned],
        owners: Callable[[Path], Sequence[str]],
        known: Mapping[str, Result],
        *,
        by_restart: bool = False,
        is_last: bool = False,
    ) -> list[tuple[Task, ...]]:
        """Return what is to be done for some mutants, function by function; at last in groups.

        Those for which services are restarted come last: ``by_restart`` makes all such. Of one that
        has survived so far, by what is ``known``, only the tests that wait are left.
        """
        pieces: dict[tuple[str, str, bool], list[Task]] = {}
        services: dict[Path, tuple[str, ...]] = {}
        for one in planned:
            if one.file not in services:
                services[one.file] = tuple(owners(one.file))
            task = self._task(one, services[one.file], by_restart=by_restart)
            result = known.get(one.mutant.id)
            if result is not None:
                is_known = self.is_known(result, one)
                task = self._after(task, result) if is_known else task.first(result.killed_by)
            key = (one.mutant.path, one.mutant.qualname, task.number == 0)
            pieces.setdefault(key, []).append(task)
        if is_last:
            return groups_of(task for piece in pieces.values() for task in piece)
        return [tuple(piece) for key, piece in sorted(pieces.items(), key=lambda i: i[0][2])]

    def spent_s(self, result: Result) -> float:
        """Return how long the tests usually take that a survivor has met as they are now."""
        return sum(self.choice.seconds(test) for test in result.of(self.test_files))

    def _after(self, task: Task, result: Result) -> Task:
        met = result.of(self.test_files)
        return replace(task.after(met), spent_s=self.spent_s(result))

    def _task(self, one: Planned, services: tuple[str, ...], *, by_restart: bool) -> Task:
        mutant, tests = one.mutant, one.tests
        row = one.told.rows.get(one.number, 0)
        about: dict[str, Any] = {"source": one.source, "row": row}
        task = Task(mutant.id, one.number, tests.line, tests.others, services, **about)
        # What runs for no test is not on for any request, either.
        if one.number and not by_restart and (tests.line or not tests.in_background):
            return task
        runs = bool(tests.line) or tests.in_background
        return replace(
            task,
            number=0,
            tests=tests.line + tests.others if runs else (),
            others=(),
            change=mutant,
            module=one.told.module,
        )


def plan(
    settings: Settings, project: Project, named: Sequence[Path], since: str | None = None
) -> Plan:
    """Return the mutants of some files or folders; of all files that covered services ran for none.

    ``since``: only of functions that are not as a git revision has them. Raises MutationError and
    CoverageError where nothing is known of a file, ConfigError for a revision there is not.
    """
    runs = load_baseline(data_dir(settings))
    files = _files(settings.root, named, {file for run in runs for file in run.digests})
    changed = None if since is None else _changed(settings.root, since, files)
    if changed is not None:
        files = [file for file in files if file in changed]
    known = [file for file in files if runs_of(file, runs)]
    stale = [] if named or not known else [file for file in files if file not in known]
    files = [file for file in files if file not in stale]
    choice = Choice(settings, files)
    tests = state_now(settings, project, choice.suite).tests
    found = Plan(
        choice,
        tests_digest=_digest(
            f"{path} {digest}" for path, digest in sorted(tests.items()) if not _has_tests(path)
        ),
        test_files={
            path.relative_to(choice.suite.root).as_posix(): digest[:16]
            for path, digest in tests.items()
            if _has_tests(path) and path.is_relative_to(choice.suite.root)
        },
        stale=stale,
    )
    number = 1
    for file in files:
        source = file.read_bytes()
        text = decoded(source)
        path = file.relative_to(settings.root).as_posix()
        mutants = mutants_of(path, text)
        if changed is not None:
            mutants = [m for m in mutants if m.qualname in changed[file]]
        if not mutants:
            continue
        told = told_of(path, source, text, mutants, number)
        number += len(told.numbers)
        digest = digest_of(file)[:16]
        for mutant in mutants:
            of = told.numbers.get(mutant.id, 0)
            tried = choice.tests(file, mutant)
            found.planned.append(Planned(mutant, of, tried, told, file, digest))
    return found


def _has_tests(path: Path) -> bool:
    return is_named_as_test(path) and path.stem != "conftest"


def _files(root: Path, named: Sequence[Path], known: Collection[Path]) -> list[Path]:
    """Return the sources that are meant, of those that covered runs know."""
    ours = sorted(
        file
        for file in known
        if file.is_relative_to(root) and file.is_file() and not is_named_as_test(file)
    )
    if not named:
        return ours
    found: dict[Path, None] = {}
    for path in named:
        full = Path.cwd().joinpath(path).resolve()
        below = [file for file in ours if file.is_relative_to(full)]
        if not below:
            raise MutationError(
                "no covered service ran anything of it" if full.exists() else "it is not there",
                where=str(path),
                seen=f"files that covered services ran: {len(ours)}",
                todo="name a file or a folder of a service that has a spy; after a change of "
                "which services have one: pytest --nomock-sidecar-coverage",
            )
        found.update(dict.fromkeys(below))
    return list(found)


def _changed(root: Path, since: str, files: Sequence[Path]) -> dict[Path, set[str]]:
    """Return the functions that are not as they were at a revision, by file."""
    revision = Revision(root, since)
    paths = {path.resolve() for path in revision.changed()}
    found: dict[Path, set[str]] = {}
    for file in files:
        if file not in paths:
            continue
        now, before = blocks_of(file.read_bytes()), blocks_of(revision.content(file) or b"")
        names = {name for name, block in now.items() if before.get(name) != block}
        if names:
            found[file] = names
    return found


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
