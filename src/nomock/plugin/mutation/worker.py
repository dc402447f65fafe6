"""A worker: it takes mutants function by function, and finds out of each whether a test notices it.

A red test alone says nothing of a mutant: the one before may have left the service broken, or the
test may be flaky. So a kill counts once the same test has passed without a mutant behind it; where
it does not, the services are restarted, and each mutant of it is tried by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nomock.baggage import set_current_mutant
from nomock.coverage.session import data_dir
from nomock.errors import NomockError
from nomock.mutation import Status
from nomock.mutation.live.folder import MutantsFolder
from nomock.mutation.live.job import Job, Task
from nomock.mutation.live.results import Result, Results
from nomock.plugin.items import takes_faults
from nomock.plugin.mutation.services import Services
from nomock.plugin.mutation.warm import Outcome, WarmTests
from nomock.plugin.run import Run

_IMPORTS = 8
"""How many mutants of what an import runs are tried between two starts without any."""

_SOON_S = 3.0


class Worker:
    """Does what a job says, in a session whose tests have been collected."""

    def __init__(self, run: Run, path: Path) -> None:
        self._run = run
        self._path = path
        self._job = Job.read(path)
        self._results = Results(Path(self._job.results))
        self._folder = MutantsFolder(data_dir(run.settings), self._job.run)
        self._services = Services(run, path, self._folder)
        self._kills: Counter[str] = Counter()
        """How many mutants of this piece each test has noticed, and soon."""
        self._unusable: dict[str, str] = {}
        """The tests that do not pass without a mutant, each with how they end."""
        self._suspected: list[tuple[Task, Result, str]] = []
        """Mutants with which a test was red, and that test; it has not passed since."""
        self._warm: WarmTests | None = None

    @property
    def _tests(self) -> WarmTests:
        assert self._warm is not None, "the session has begun"
        return self._warm

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try mutants in place of running the tests."""
        if session.testsfailed:  # not collected: what is there then is not what was covered
            return False
        # What a test undoes waits until it is done: with a mutant that might be long.
        self._warm = WarmTests(session, lambda: set_current_mutant(""))
        with self._services:
            for piece in self._job.taken(self._path):
                with self._services.used(alone=piece[0].number == 0):
                    self._try_all(piece)
            self._tests.leave()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run a test without a report."""
        self._tests.phases(item)
        return True

    def _try_all(self, piece: Sequence[Task]) -> None:
        self._kills.clear()
        if piece[0].number == 0:
            self._import_all(piece)
            return
        for task in piece:
            if self._job.is_over:
                break
            self._services.let_restart()
            if self._services.have_other_data():
                self._tests.leave_all()
            self._try(task)
        self._confirm()

    def _try(self, task: Task) -> None:
        """Try a mutant that is on for single requests."""
        tests = self._ordered(task.tests)
        if tests or task.ran:  # what a covered run saw of a test need not be all that it ever runs
            tests += self._ordered(task.others)
        result, test = self._found(task, tests)
        if result.status in {Status.KILLED, Status.TIMED_OUT}:
            self._suspected.append((task, result, test))
            if result.status is Status.TIMED_OUT:
                self._confirm()
        else:
            self._add(task, result)

    def _import_all(self, piece: Sequence[Task]) -> None:
        """Try mutants of what an import runs, some between two starts without any."""
        for first in range(0, len(piece), _IMPORTS):
            if self._job.is_over:
                break
            tasks = piece[first : first + _IMPORTS]
            self._set_up(tasks)
            for task in tasks:
                self._try_import(task)
            if any(task.tests for task in tasks):
                self._services.restore(tasks[0].services)
            self._confirm()

    def _set_up(self, tasks: Sequence[Task]) -> None:
        """Let fixtures that outlast a test be made while no mutant is there."""
        for test in dict.fromkeys(test for task in tasks for test in self._ordered(task.tests)[:1]):
            self._is_green_here(test)

    def _try_import(self, task: Task) -> None:
        """Try a mutant that is there from the start of the service's processes."""
        tests = [test for test in self._ordered(task.tests) if test not in self._unusable]
        if not tests:
            self._add(task, self._unnoticed(task, [], 0.0, asked=len(task.tests)))
            return
        try:
            self._services.start_with(task)
        except NomockError as error:
            why = str(error).partition("\n")[0]
            self._add(task, Result(task.mutant, Status.KILLED, note=f"does not start: {why}"))
            return
        result, test = self._found(task, tests, is_imported=True)
        self._tests.leave()
        if test:
            self._suspected.append((task, result, test))
        else:
            self._add(task, result)

    def _found(
        self, task: Task, tests: Sequence[str], *, is_imported: bool = False
    ) -> tuple[Result, str]:
        """Run tests with a mutant until one is red; return what that says, and the red one."""
        ran: list[str] = []
        seconds = 0.0
        for place, test in enumerate(tests):
            breaks = takes_faults(self._tests.item(test)) and not self._job.has_faults
            if breaks or (ran and (seconds > self._job.each_s or self._job.is_over)):
                waiting = len(tests) - place
                return self._unnoticed(task, ran, seconds, asked=place, waiting=waiting), ""
            if not is_imported and not self._is_green_here(test):
                continue
            ended = self._run_with("" if is_imported else task.mutant, test)
            seconds += ended.seconds
            ran.append(test)
            if ended.status == "failed":
                hung = ended.has_hung or (
                    ended.seconds >= self._job.limit_s and self._folder.hung(task.mutant)
                )
                status = Status.TIMED_OUT if hung else Status.KILLED
                if ended.seconds < _SOON_S:
                    self._kills[test] += 1
                about: dict[str, Any] = {"ran": task.ran + tuple(ran), "seconds": seconds}
                note = "" if hung else ended.why
                return Result(task.mutant, status, (test,), note=note, **about), test
        return self._unnoticed(task, ran, seconds, asked=len(tests)), ""

    def _unnoticed(
        self, task: Task, ran: list[str], seconds: float, *, asked: int, waiting: int = 0
    ) -> Result:
        """Return what it says of a mutant that no test was red."""
        about: dict[str, Any] = {"ran": task.ran + tuple(ran), "seconds": seconds}
        if not about["ran"] and not waiting:
            if not asked:
                return Result(task.mutant, Status.NO_COVERAGE, note="no test ran its lines")
            whys = [f"{t}: {self._unusable[t]}" for t in task.tests if t in self._unusable]
            note = f"its tests do not pass without it: {'; '.join(whys[:1])}"
            return Result(task.mutant, Status.ERROR, note=note)
        if waiting or self._folder.ran(task.mutant):
            return Result(task.mutant, Status.SURVIVED, waiting=waiting, **about)
        if why := self._folder.not_switched(task.number):
            return Result(task.mutant, Status.ERROR, note=f"not switched on: {why}", **about)
        note = "no request of these tests ran its function"
        return Result(task.mutant, Status.NO_COVERAGE, note=note, **about)

    def _add(self, task: Task, result: Result) -> None:
        self._results.add(self._job.dated(task, result))

    def _confirm(self) -> None:
        """Write down the mutants that were noticed by tests which pass without them."""
        suspected, self._suspected = self._suspected, []
        by_test: dict[str, list[tuple[Task, Result]]] = {}
        for task, result, test in suspected:
            by_test.setdefault(test, []).append((task, result))
        for test, found in by_test.items():
            if self._passes(test):
                for task, result in found:
                    self._add(task, result)
            else:
                self._try_apart(test, found)

    def _try_apart(self, test: str, found: list[tuple[Task, Result]]) -> None:
        """Try the mutants that a test noticed once more, each with services that are whole."""
        for task, result in found:
            if not self._mended(test, task.services):
                why = self._unusable.get(test, "")
                note = f"{test} fails without it, too: {why}"
                self._add(task, Result(task.mutant, Status.ERROR, ran=result.ran, note=note))
                continue
            # Nobody but this one can have broken it; each import has processes of its own.
            if len(found) == 1 or task.number == 0:
                self._add(task, result)
                continue
            again, red = self._found(task, [test])
            if not red:  # it was another one's doing
                again, red = self._found(task, task.tests)
            self._add(task, again)

    def _mended(self, test: str, services: Sequence[str]) -> bool:
        """Tell whether a test passes without a mutant, if need be once services are restarted."""
        if self._passes(test):
            return True
        self._tests.leave()
        self._services.restart(services)
        if self._passes(test):
            return True
        self._tests.leave_all()
        self._services.reset(services)
        return self._passes(test)

    def _is_green_here(self, test: str) -> bool:
        """Tell whether a test can tell something: what is around it is set up without a mutant."""
        if test in self._unusable or test not in self._tests:
            return False
        return self._tests.is_set_up(test) or self._passes(test)

    def _passes(self, test: str) -> bool:
        """Run a test without a mutant, and tell whether it passes."""
        ended = self._run_with("", test)
        if ended.status == "passed":
            self._unusable.pop(test, None)
            return True
        self._unusable[test] = ended.why or ended.status
        return False

    def _run_with(self, mutant: str, test: str) -> Outcome:
        set_current_mutant(mutant)
        try:
            return self._tests.run(test, usual_s=self._job.seconds.get(test, 1.0))
        finally:
            set_current_mutant("")

    def _ordered(self, tests: Sequence[str]) -> list[str]:
        """Put the likeliest to notice it first, then the quick ones; those with faults at the end.

        What noticed one mutant of a function is likely to notice the next; one that waited for what
        did not come is no better than others.
        """
        known = [test for test in tests if test in self._tests]
        place = {test: number for number, test in enumerate(known)}
        return sorted(
            known,
            key=lambda t: (takes_faults(self._tests.item(t)), -self._kills[t], place[t]),
        )
