"""The last round: all tests, each with several mutants on at once; where one is red, which is it?

The one that the test is likeliest to notice is tried by itself, and the others are halved, until
it is a single one with which the test is red, and without which it passes: what is red only
together is no kill of either.
"""

from __future__ import annotations

from collections.abc import Sequence

from nomock.errors import NomockError
from nomock.mutation.live.job import Task
from nomock.mutation.live.together import in_turn
from nomock.plugin.items import takes_faults
from nomock.plugin.mutation.trials import Trials
from nomock.plugin.mutation.warm import Outcome, not_started

Found = list[tuple[Task, Outcome]]


class Together:
    """Tries groups of mutants that nothing has noticed so far."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._started: tuple[Task, ...] = ()
        """Those that the services were started with."""

    def try_all(self, group: Sequence[Task]) -> None:
        """Run each test that one of a group has left; write down which mutants it notices."""
        trials = self._trials
        left = {task.mutant: task for task in group}
        ran = {task.mutant: list(task.ran) for task in group}
        try:
            for test in self._ordered(group):
                if trials.job.is_over:
                    break
                asked = [task for task in left.values() if test in {*task.tests, *task.others}]
                # A start without those that have had this test would take longer than it does.
                is_imported = asked and asked[0].number == 0
                found = self._found(test, list(left.values()) if is_imported else asked, asked)
                for task, ended in found:
                    del left[task.mutant]
                    about = {"ran": (*ran[task.mutant], test), "seconds": ended.seconds}
                    trials.keep(task, trials.noticed(task, test, ended, **about))
                passed = [task for task in asked if task.mutant in left]
                is_usable = test not in trials.unusable and test in trials.tests
                if passed:
                    trials.keep_passed(test, passed, ran=is_usable)
                if is_usable:
                    for task in passed:
                        ran[task.mutant].append(test)
        finally:
            self._start_with(())

    def _found(self, test: str, on: Sequence[Task], asked: Sequence[Task]) -> Found:
        """Return those of the mutants that are asked for with which a test is red.

        ``on``: those that are on the first time, these and maybe more.
        """
        trials = self._trials
        if not asked or not self._can_tell(test, asked[0]):
            return []
        ended = self._run_with(on, test)
        if ended.status == "skipped":
            trials.unusable[test] = "skipped"
        if ended.status in {"skipped", "passed"}:
            return []
        trials.tests.leave()
        self._start_with(())
        services = sorted({service for task in asked for service in task.services})
        if not trials.mended(test, services):
            return []
        if len(on) == 1:
            was_kept = ended.has_hung and on[0].number and not trials.is_red_again(on[0], test)
            return [] if was_kept else [(asked[0], ended)]
        first = min(asked, key=lambda task: (*task.tests, *task.others).index(test))
        others = [task for task in asked if task is not first]
        if found := self._found(test, [first], [first]):
            return found + self._found(test, others, others)
        half = len(others) // 2
        return [
            one for part in (others[:half], others[half:]) for one in self._found(test, part, part)
        ]

    def _can_tell(self, test: str, task: Task) -> bool:
        if task.number:
            return self._trials.is_green_here(test)
        return test not in self._trials.unusable and test in self._trials.tests

    def _run_with(self, on: Sequence[Task], test: str) -> Outcome:
        if on[0].number:
            return self._trials.run_with((task.mutant for task in on), test)
        try:
            self._start_with(on)
        except NomockError as error:
            return not_started(error)
        return self._trials.run_with((), test)

    def _start_with(self, tasks: Sequence[Task]) -> None:
        """Start the services with mutants of what an import runs, where they have others now."""
        if self._started == tuple(tasks):
            return
        services = (self._started or tasks)[0].services
        self._started = tuple(tasks)
        self._trials.tests.leave()
        if tasks:
            self._trials.services.start_with(tasks)
        else:
            self._trials.services.restore(services)

    def _ordered(self, group: Sequence[Task]) -> list[str]:
        """Return the tests of a group, those with faults at the end."""
        tests = self._trials.tests
        return sorted(in_turn(group), key=lambda t: t in tests and takes_faults(tests.item(t)))
