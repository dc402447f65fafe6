"""What a run comes to: its failures, its coverage, its evidence, and what becomes of its stack."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.errors import NomockError
from nomock.plugin.options import given
from nomock.plugin.run import EXIT_NO_STACK, Run

_CRASHED = "???"
"""The phase by which xdist reports the test of a worker that crashed."""


class RunEnd:
    """Remembers how the tests end, and at the end writes it down and lets the stack go."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._errors: list[str] = []
        self._resets: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed, for `nomock diagnose`."""
        self._run.history.add(report)
        if report.when == _CRASHED:
            self._run.evidence.crashed(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Harvest coverage, take an owned stack down, let it go."""
        run = self._run
        tried, is_done = run.preparing.tried, run.preparing.is_done
        run.statements.close()
        run.preparing.end()
        try:
            run.hunted.end()
        except NomockError as error:  # the next run heals it
            self._errors.append(str(error))
        run.faults.close()
        self._resets = run.resets.end()
        run.ledgers.close(undo=not run.engine_is_gone)
        if run.is_worker:
            run.lanes.end()
            if "main" in run.__dict__:  # not only where it was made ready here
                run.main.close()
            return
        lanes = run.workers_lanes
        if is_done and not run.engine_is_gone:
            run.unasked.look([run.main, *(lane.stack for lane in lanes.used)])
            lanes.measure()
        try:
            if is_done:
                run.coverage.harvest(allow_unmapped=given(run.config, "allow-unmapped"))
                if not run.coverage.is_whole and session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = EXIT_NO_STACK
            is_own = run.settings.stack == "own" and not run.engine_is_gone
            if tried and tried.touched and is_own:
                lanes.remove(run.progress)
                tried.down(progress=run.progress.show, waiting=run.progress.show_waiting)
                run.progress.end()
        except NomockError as error:
            if session.exitstatus == pytest.ExitCode.OK:  # a red test says more
                session.exitstatus = EXIT_NO_STACK
            self._errors = [str(error)]
        finally:
            if tried and not given(run.config, "mutation-job"):  # which has run no test for itself
                run.history.write(
                    session.exitstatus,
                    run.command,
                    run.config.rootpath,
                    run.evidence.left_by_run,
                    is_covered=is_done and given(run.config, "sidecar-coverage"),
                )
            run.evidence.finish()
            if tried:
                tried.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print what is still broken, and the table of coverage."""
        run = self._run
        if run.evidence.page:
            terminalreporter.section("evidence")
            terminalreporter.write_line(run.evidence.page)
        if run.faults.not_healed:
            terminalreporter.section("faults that are not healed")
            terminalreporter.write_line("\n".join(run.faults.not_healed))
        for line in self._resets:
            terminalreporter.write_line(f"nomock: {line}")
        if run.ledgers.failed:
            terminalreporter.section("test data that is left")
            terminalreporter.write_line("\n".join(run.ledgers.failed))
        covered = run.coverage.report if run.preparing.is_done else []
        if lines := self._errors or covered:
            terminalreporter.section("sidecar coverage")
            for line in lines:
                terminalreporter.write_line(line)
