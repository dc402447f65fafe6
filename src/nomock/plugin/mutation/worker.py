"""A worker: it takes mutants function by function, and finds out of each whether a test notices it.

A red test alone says nothing of a mutant: the one before may have left the service broken, or the
test may be flaky. So a kill counts once the same test has passed without a mutant behind it; where
it does not, the services are restarted, and each mutant of it is tried by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
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
        """How many mutants each test has noticed here."""
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
        self._warm = WarmTests(session)
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
        for task in piece:
            if self._job.is_over:
                break
            if task.number:
                self._try(task)
            else:
                self._try_import(task)
        self._confirm()
        if piece[0].number == 0:
            self._services.restore(piece[-1].services)

    def _try(self, task: Task) -> None:
        """Try a mutant that is on for single requests."""
        result, test = self._found(task, self._ordered(task.tests))
        if result.status is Status.SURVIVED and task.others and not self._job.is_over:
            # What a covered run saw of a test need not be all that it ever runs.
            more, test = self._found(task, self._ordered(task.others))
            if test:
                result = replace(more, ran=result.ran + more.ran)
        if result.status in {Status.KILLED, Status.TIMED_OUT}:
            self._suspected.append((task, result, test))
            if result.status is Status.TIMED_OUT:
                self._confirm()
        else:
            self._add(task, result)

    def _try_import(self, task: Task) -> None:
        """Try a mutant that is there from the start of the service's processes."""
        tests = [t for t in self._ordered(task.tests) if self._is_green_here(t)]
        if not tests:
            self._add(task, self._unnoticed(task, [], 0.0, asked=len(task.tests)))
            return
        try:
            self._services.start_with(task)
        except NomockError as error:
            why = str(error).partition("\n")[0]
            self._add(task, Result(task.mutant, Status.KILLED, note=f"does not start: {why}"))
            self._services.restore(task.services)
            return
        result, test = self._found(task, tests, is_imported=True)
        self._services.restore(task.services)
        if test and not self._passes(test):
            note = f"{test} fails without it, too: {self._unusable.get(test, '')}"
            result = Result(task.mutant, Status.ERROR, ran=result.ran, note=note)
        self._add(task, result)

    def _found(
        self, task: Task, tests: Sequence[str], *, is_imported: bool = False
    ) -> tuple[Result, str]:
        """Run tests with a mutant until one is red; return what that says, and the red one."""
        ran: list[str] = []
        seconds = 0.0
        for test in tests:
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
                self._kills[test] += 1
                note = "" if hung else ended.why
                return Result(task.mutant, status, (test,), tuple(ran), seconds, note), test
            if self._job.is_over and len(ran) > 1:
                break
        return self._unnoticed(task, ran, seconds, asked=len(tests)), ""

    def _unnoticed(self, task: Task, ran: list[str], seconds: float, *, asked: int) -> Result:
        """Return what it says of a mutant that no test was red."""
        about: dict[str, Any] = {"ran": tuple(ran), "seconds": seconds}
        if not ran:
            why = "no test ran its lines" if not asked else "its tests do not pass without it"
            status = Status.ERROR if asked else Status.NO_COVERAGE
            return Result(task.mutant, status, note=why)
        if self._folder.ran(task.mutant):
            return Result(task.mutant, Status.SURVIVED, **about)
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
            if len(found) == 1:  # nobody but this one can have broken it
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
        return self._passes(test)

    def _is_green_here(self, test: str) -> bool:
        """Tell whether a test can tell something: what is around it is set up without a mutant."""
        if test in self._unusable or test not in self._tests:
            return False
        return self._tests.is_at(test) or self._passes(test)

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
        """Put the likeliest to notice it first; those of one module together, faults at the end."""
        known = [test for test in tests if test in self._tests]
        place = {test: number for number, test in enumerate(known)}

        def rank(test: str) -> tuple[bool, int, int]:
            breaks = takes_faults(self._tests.item(test))
            return breaks, -self._kills[test], place[test]

        best: dict[str, tuple[bool, int, int]] = {}
        for test in known:
            module = test.partition("::")[0]
            best[module] = min(best.get(module, rank(test)), rank(test))
        return sorted(known, key=lambda t: (rank(t)[0], best[t.partition("::")[0]], rank(t)))
