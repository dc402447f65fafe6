"""The last round: all tests, each with several mutants on at once; where one is red, which is it?

The one that the test is likeliest to notice is tried by itself, and the others are halved, until
it is a single one with which the test is red, and without which it passes: what is red only
together, and twice, is no kill of either, and such a group goes on in two halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nomock.errors import NomockError
from nomock.mutation.live.job import Task
from nomock.mutation.live.together import in_turn
from nomock.plugin.items import takes_faults
from nomock.plugin.mutation.trials import Trials
from nomock.plugin.mutation.warm import Outcome, not_started


@dataclass(frozen=True)
class Found:
    """What a test says of mutants that were on together."""

    noticed: tuple[tuple[Task, Outcome], ...] = ()
    """Those with which it is red by themselves, and how it ended."""
    get_along: bool = True
    """Whether it is red with nothing else than these: not with others only together."""


class Together:
    """Tries groups of mutants that nothing has noticed so far."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._started: tuple[Task, ...] = ()
        """Those that the services were started with."""

    def try_all(self, group: Sequence[Task]) -> None:
        """Run each test that one of a group has left; write down which mutants it notices."""
        groups = [list(group)]
        try:
            while groups and not self._trials.job.is_over:
                groups += self._try(groups.pop())
        finally:
            self._start_with(())

    def _try(self, group: Sequence[Task]) -> list[list[Task]]:
        """Try a group; return what is left to do where not all of it can be on together."""
        trials = self._trials
        left = {task.mutant: task for task in group}
        ran = {task.mutant: list(task.ran) for task in group}
        tests = self._ordered(group)
        for place, test in enumerate(tests):
            if trials.job.is_over:
                break
            asked = [task for task in left.values() if test in {*task.tests, *task.others}]
            # A start without those that have had this test would take longer than it does.
            is_imported = asked and asked[0].number == 0
            found = self._found(test, list(left.values()) if is_imported else asked, asked)
            for task, ended in found.noticed:
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
            if not found.get_along:
                rest = [
                    replace(task.after(tests[: place + 1]), ran=tuple(ran[task.mutant]))
                    for task in left.values()
                ]
                half = len(rest) // 2
                return [rest[:half], rest[half:]]
        return []

    def _found(self, test: str, on: Sequence[Task], asked: Sequence[Task]) -> Found:
        """Find out with which of the mutants that are asked for a test is red.

        ``on``: those that are on the first time, these and maybe more.
        """
        trials = self._trials
        if not asked or not self._can_tell(test, asked[0]):
            return Found()
        ended = self._run_with(on, test)
        if ended.status == "skipped":
            trials.unusable[test] = "skipped"
        if ended.status in {"skipped", "passed"}:
            return Found()
        trials.tests.leave()
        self._start_with(())
        services = sorted({service for task in asked for service in task.services})
        if not trials.mended(test, services):
            return Found()
        if len(on) == 1:
            was_kept = ended.has_hung and on[0].number and not trials.is_red_again(on[0], test)
            return Found() if was_kept else Found(((asked[0], ended),))
        first = min(asked, key=lambda task: (*task.tests, *task.others).index(test))
        others = [task for task in asked if task is not first]
        half = len(others) // 2
        found = [self._found(test, [first], [first])]
        parts = [others] if found[0].noticed else [others[:half], others[half:]]
        found += [self._found(test, part, part) for part in parts]
        noticed = tuple(one for part in found for one in part.noticed)
        get_along = all(part.get_along for part in found)
        # None of them by itself: it may be chance, which is over when the test is run again.
        is_chance = not noticed and get_along and self._run_with(on, test).status == "passed"
        self._start_with(())
        return Found(noticed, get_along and (bool(noticed) or is_chance))

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
        changed = {*self._started} ^ {*tasks}
        services = sorted({service for task in changed for service in task.services})
        self._started = tuple(tasks)
        self._trials.tests.leave()
        if tasks:
            self._trials.services.start_with(tasks, services)
        else:
            self._trials.services.restore(services)

    def _ordered(self, group: Sequence[Task]) -> list[str]:
        """Return the tests of a group, those with faults at the end."""
        tests = self._trials.tests
        return sorted(in_turn(group), key=lambda t: t in tests and takes_faults(tests.item(t)))
