"""A worker: it takes mutants piece by piece, and finds out of each whether a test notices it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nomock.baggage import set_current_mutants
from nomock.coverage.session import data_dir
from nomock.mutation.live.folder import MutantsFolder
from nomock.mutation.live.job import Job
from nomock.mutation.live.results import Results
from nomock.plugin.mutation.services import Services
from nomock.plugin.mutation.singly import Singly
from nomock.plugin.mutation.together import Together
from nomock.plugin.mutation.trials import Trials
from nomock.plugin.mutation.warm import WarmTests
from nomock.plugin.run import Run


class Worker:
    """Does what a job says, in a session whose tests have been collected."""

    def __init__(self, run: Run, path: Path) -> None:
        self._path = path
        self._job = Job.read(path)
        self._folder = MutantsFolder(data_dir(run.settings), self._job.run)
        self._services = Services(run, path, Path(self._job.root), self._folder)
        self._tests: WarmTests | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try mutants in place of running the tests."""
        if session.testsfailed:  # not collected: what is there then is not what was covered
            return False
        # What a test undoes waits until it is done: with a mutant that might be long.
        tests = self._tests = WarmTests(session, lambda: set_current_mutants(()))
        results = Results(Path(self._job.results))
        trials = Trials(self._job, tests, self._services, self._folder, results)
        round_ = Together(trials) if self._job.is_last else Singly(trials)
        with self._services:
            for piece in self._job.taken(self._path):
                with self._services.used(alone=piece[0].number == 0):
                    round_.try_all(piece)
            tests.leave()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run a test without a report."""
        assert self._tests is not None, "the session has begun"
        self._tests.phases(item)
        return True
