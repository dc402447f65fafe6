"""The first rounds: each mutant by itself, with the tests that are likeliest to notice it.

A red test alone says nothing of a mutant: the one before may have left the service broken, or the
test may be flaky. So a kill counts once the same test has passed without a mutant behind it; where
it does not, the services are restarted, and each mutant of it is tried by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nomock.errors import NomockError
from nomock.mutation import NOTICED, Status
from nomock.mutation.live.job import Task
from nomock.mutation.live.results import Result
from nomock.plugin.items import takes_faults
from nomock.plugin.mutation.trials import Trials
from nomock.plugin.mutation.warm import not_started

_IMPORTS = 8
"""How many mutants of what an import runs are tried between two starts without any."""

_SOON_S = 3.0


class Singly:
    """Tries the mutants of a function, or of what the import of a file runs."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._job = trials.job
        self._tests = trials.tests
        self._services = trials.services
        self._kills: Counter[str] = Counter()
        """How many mutants of this piece each test has noticed, and soon."""
        self._suspected: list[tuple[Task, Result, str]] = []
        """Mutants with which a test was red, and that test; it has not passed since."""

    def try_all(self, piece: Sequence[Task]) -> None:
        """Try the mutants of a piece, one after the other."""
        self._kills.clear()
        if piece[0].number == 0:
            self._import_all(piece)
            return
        for task in piece:
            if self._job.is_over:
                break
            self._try(task)
        self._confirm()

    def _try(self, task: Task) -> None:
        """Try a mutant that is on for single requests."""
        tests = self._ordered(task.tests)
        if tests or task.ran:  # what a covered run saw of a test need not be all that it ever runs
            tests += self._ordered(task.others)
        result, test = self._found(task, tests)
        if result.status in NOTICED:
            self._suspected.append((task, result, test))
            if result.status is Status.TIMED_OUT:
                self._confirm()
        else:
            self._keep(task, result)

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
            self._trials.is_green_here(test)

    def _try_import(self, task: Task) -> None:
        """Try a mutant that is there from the start of the service's processes."""
        tests = [test for test in self._ordered(task.tests) if test not in self._trials.unusable]
        if not tests:
            self._keep(task, self._unnoticed(task, task.tests, [], 0.0, asked=len(task.tests)))
            return
        try:
            self._services.start_with([task], task.services)
        except NomockError as error:
            self._keep(task, self._trials.noticed(task, "", not_started(error)))
            return
        result, test = self._found(task, tests, is_imported=True)
        self._tests.leave()
        if test:
            self._suspected.append((task, result, test))
        else:
            self._keep(task, result)

    def _found(
        self, task: Task, tests: Sequence[str], *, is_imported: bool = False
    ) -> tuple[Result, str]:
        """Run tests with a mutant until one is red; return what that says, and the red one."""
        ran: list[str] = []
        seconds = 0.0
        for place, test in enumerate(tests):
            is_late = task.spent_s + seconds > self._job.round.each_s or self._job.is_over
            if (ran and is_late) or self._waits(test):
                return self._unnoticed(task, tests, ran, seconds, asked=place), ""
            if not is_imported and not self._trials.is_green_here(test):
                continue
            ended = self._trials.run_with(() if is_imported else (task.mutant,), test)
            seconds += ended.seconds
            ran.append(test)
            if ended.has_hung and not is_imported:
                is_sound = self._trials.mended(test, task.services)
                if not is_sound or not self._trials.is_red_again(task, test):
                    continue
            if ended.status == "failed":
                if ended.seconds < _SOON_S:
                    self._kills[test] += 1
                about: dict[str, Any] = {"ran": tuple(ran), "seconds": seconds}
                return self._trials.noticed(task, test, ended, **about), test
        return self._unnoticed(task, tests, ran, seconds, asked=len(tests)), ""

    def _unnoticed(
        self, task: Task, tests: Sequence[str], ran: list[str], seconds: float, *, asked: int
    ) -> Result:
        """Return what it says of a mutant that none of the tests that were asked was red."""
        if not tests and not task.ran:
            return Result(task.mutant, Status.NO_COVERAGE, note="no test ran its lines")
        unusable = self._trials.unusable
        unable = tuple(test for test in tests[:asked] if test in unusable)
        about: dict[str, Any] = {"ran": tuple(ran), "unable": unable}
        about["seconds"] = seconds
        if asked == len(tests) and not about["ran"] and not task.ran:
            whys = [f"{test}: {unusable[test]}" for test in unable]
            note = f"its tests do not pass without it: {'; '.join(whys[:1])}"
            return Result(task.mutant, Status.ERROR, note=note)
        if why := self._trials.folder.not_switched(task.number):
            return Result(task.mutant, Status.ERROR, note=f"not switched on: {why}", **about)
        reached = self._trials.folder.ran(task.mutant)
        return Result(task.mutant, Status.SURVIVED, reached=reached, **about)

    def _confirm(self) -> None:
        """Write down the mutants that were noticed by tests which pass without them."""
        suspected, self._suspected = self._suspected, []
        by_test: dict[str, list[tuple[Task, Result]]] = {}
        for task, result, test in suspected:
            by_test.setdefault(test, []).append((task, result))
        for test, found in by_test.items():
            if self._trials.passes(test):
                for task, result in found:
                    self._keep(task, result)
            else:
                self._try_apart(test, found)

    def _try_apart(self, test: str, found: list[tuple[Task, Result]]) -> None:
        """Try the mutants that a test noticed once more, each with services that are whole."""
        for task, result in found:
            if not self._trials.mended(test, task.services):
                why = self._trials.unusable.get(test, "")
                note = f"{test} fails without it, too: {why}"
                self._keep(task, Result(task.mutant, Status.ERROR, ran=result.ran, note=note))
                continue
            # Nobody but this one can have broken it; each import has processes of its own.
            if len(found) == 1 or task.number == 0:
                self._keep(task, result)
                continue
            again, red = self._found(task, [test])
            if not red:  # it was another one's doing
                again, red = self._found(task, task.tests)
            self._keep(task, again)

    def _keep(self, task: Task, result: Result) -> None:
        """Write down what was found out; of a survivor of an earlier round what is new of it."""
        if not task.ran or result.status is not Status.SURVIVED:
            self._trials.keep(task, replace(result, ran=(*task.ran, *result.ran)))
            return
        for test in (*result.ran, *result.unable):
            self._trials.keep_passed(test, [task], ran=test in result.ran)

    def _waits(self, test: str) -> bool:
        """Tell whether a test is for a later round."""
        return takes_faults(self._tests.item(test)) and not self._job.round.has_faults

    def _ordered(self, tests: Sequence[str]) -> list[str]:
        """Put the likeliest to notice it first, then the quick ones; those that wait at the end.

        What noticed one mutant of a function is likely to notice the next; one that waited for what
        did not come is no better than others.
        """
        known = [test for test in tests if test in self._tests]
        place = {test: number for number, test in enumerate(known)}
        return sorted(
            known,
            key=lambda t: (self._waits(t), -self._kills[t], place[t]),
        )
