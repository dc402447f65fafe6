"""What ends a run, once, since no test on the stack can pass: the engine is gone, or a lane."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from nomock.errors import EngineGoneError, EngineMissingError, NomockError
from nomock.plugin.run import EXIT_NO_STACK, Run
from nomock.target import Target

# An engine that its system starts again has answered by then; one that hangs has not.
_SURE_S = 3.0
_MARK = "nomock_run_end"
_GONE = "the container engine is gone"


class EarlyEnd:
    """Hears why the run cannot go on, in the process of the test or from a worker."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._title = self._said = ""

    def look(self, target: Target, item: pytest.Item, report: pytest.TestReport) -> bool:
        """Look whether the engine is there after a test failed; end the run where it is not."""
        seen_s = target.answered_s
        error = target.gone(_SURE_S)
        if error is None:
            return False
        ago = f", last answer {monotonic() - seen_s:.0f} s before" if seen_s is not None else ""
        gone = EngineGoneError(
            f"it does not answer any more{ago}; the tests that were left did not run",
            where=error.where,
            seen="\n".join(filter(None, (error.what, error.seen))),
            todo=f"{'start' if isinstance(error, EngineMissingError) else 'restart'} it (Docker "
            "Desktop, or: systemctl restart docker), then run again: the next run heals what this "
            "one left broken",
        )
        self.end(item, report, _GONE, gone, place=target.address)
        return True

    def end(
        self,
        item: pytest.Item,
        report: pytest.TestReport,
        title: str,
        error: NomockError,
        *,
        place: str,
    ) -> None:
        """End the run with a test's report; ``title`` says why in a few words, ``place`` where."""
        # xdist hands on to the controller what a report has, and why a worker's session ends.
        setattr(report, _MARK, [title, str(error)])
        item.session.shouldstop = f"{title} ({place})"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember it; of what several workers say, the first."""
        if not self._said:
            self._title, self._said = getattr(report, _MARK, ("", ""))
        self._run.engine_is_gone = self._title == _GONE

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End with the exit code of a run that has no stack."""
        if self._said:
            session.exitstatus = EXIT_NO_STACK
            self._run.history.add_end(self._said)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what happened, behind all that ran before."""
        if self._said:
            terminalreporter.section(self._title, red=True)
            for line in self._said.splitlines():
                terminalreporter.write_line(line)
