"""What a worker does with one test: it runs with mutants, or without any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import time
from typing import Any

from nomock.baggage import set_current_mutants
from nomock.mutation import Status
from nomock.mutation.live.folder import MutantsFolder
from nomock.mutation.live.job import Job, Task
from nomock.mutation.live.results import Passed, Result, Results, file_of
from nomock.plugin.mutation.services import Services
from nomock.plugin.mutation.warm import Outcome, WarmTests

# With a mutant a test often waits for what never comes, and its own patience is long. PIT ends it
# after 1.25 times the usual and 4 s (https://pitest.org/quickstart/advanced/), in a process alone.
_MUTATED = (1.5, 4.0)
"""How many times its usual time a test may last with a mutant, and how many seconds more."""
_SOUND = (3.0, 10.0)
"""The same without one: where that is too short, a mutant has left something broken."""
_QUICK_S = 2.0
_UNKNOWN_S = 1.0


class Trials:
    """The tests of a worker, as they are with mutants and without."""

    def __init__(
        self,
        job: Job,
        tests: WarmTests,
        services: Services,
        folder: MutantsFolder,
        results: Results,
    ) -> None:
        self.job = job
        self.tests = tests
        self.services = services
        self.folder = folder
        self._results = results
        self.unusable: dict[str, str] = {}
        """The tests that do not pass without a mutant, each with how they end."""
        self._usual: dict[str, float] = {}
        """How long each test took at the least when it passed here, in seconds."""

    def run_with(
        self, mutants: Iterable[str], test: str, limit: tuple[float, float] = _MUTATED
    ) -> Outcome:
        """Run a test; what it asks meets the mutants. ``limit``: as of those with one."""
        usual_s = self._usual.get(test, self._known_s(test))
        times, more_s = limit
        most_s = times * usual_s + more_s
        set_current_mutants(mutants, until_s=time() + most_s)
        try:
            ended = self.tests.run(test, most_s=most_s)
        finally:
            set_current_mutants(())
        if ended.status == "passed":
            self._usual[test] = min(ended.seconds, usual_s)
        return ended

    def passes(self, test: str) -> bool:
        """Run a test without a mutant, and tell whether it passes."""
        ended = self.run_with((), test, _SOUND)
        if ended.status == "passed":
            self.unusable.pop(test, None)
            return True
        self.unusable[test] = ended.why or ended.status
        return False

    def is_green_here(self, test: str) -> bool:
        """Tell whether a test can tell something: what is around it is set up without a mutant.

        One that seems slow is looked at first: it may have waited for others when it ran last.
        """
        if test in self.unusable or test not in self.tests:
            return False
        has_pace = test in self._usual or self._known_s(test) < _QUICK_S
        return (has_pace and self.tests.is_set_up(test)) or self.passes(test)

    def _known_s(self, test: str) -> float:
        return self.job.seconds.get(test, _UNKNOWN_S)

    def mended(self, test: str, services: Sequence[str]) -> bool:
        """Tell whether a test passes without a mutant, if need be once services are restarted."""
        if self.passes(test):
            return True
        self.tests.leave()
        self.services.restart(services)
        if self.passes(test):
            return True
        self.tests.leave_all()
        self.services.reset(services)
        return self.passes(test)

    def is_red_again(self, task: Task, test: str) -> bool:
        """Tell whether a test is red once more that did not end with a mutant.

        What others do may have kept it waiting, which is over when it is asked again.
        """
        return self.run_with((task.mutant,), test).status == "failed"

    def noticed(self, task: Task, test: str, ended: Outcome, **about: Any) -> Result:
        """Return what it says of a mutant that a test was red, or could not begin."""
        if ended.status == "not started":
            return Result(task.mutant, Status.KILLED, note=ended.why, **about)
        hung = ended.has_hung or (
            ended.seconds >= self.job.limit_s and self.folder.hung(task.mutant)
        )
        status = Status.TIMED_OUT if hung else Status.KILLED
        return Result(task.mutant, status, (test,), note="" if hung else ended.why, **about)

    def keep(self, task: Task, result: Result) -> None:
        """Write down what was found out about a mutant."""
        self._results.add(self.job.dated(task, result))

    def keep_passed(self, test: str, tasks: Iterable[Task], *, ran: bool) -> None:
        """Write down that a test has not noticed some mutants; ``ran``: and that it could have."""
        mutants = tuple(task.mutant for task in tasks)
        reached = tuple(mutant for mutant in mutants if self.folder.ran(mutant))
        of = self.job.test_files.get(file_of(test), "")
        self._results.add(Passed(test, mutants, ran, reached, of))
