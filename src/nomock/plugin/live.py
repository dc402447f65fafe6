"""``--live`` and ``--events``: what a run tells while it goes on, test by test as they end.

In the process that hears of all tests: the only one, or the controller of xdist.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from nomock.errors import EvidenceError
from nomock.evidence.events import VERSION, Events
from nomock.evidence.folder import EvidenceFolder, read_evidence
from nomock.evidence.following import Follower
from nomock.evidence.page import page_of, summary
from nomock.evidence.redact import Redactor
from nomock.evidence.serving import LivePage
from nomock.lanes.replica import left_names
from nomock.paths import absolute
from nomock.plugin.evidence import PROPERTY
from nomock.plugin.options import given
from nomock.plugin.run import Run


class Live:
    """The events of one run, and the page that shows them."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Raise pytest's UsageError where the file of the events cannot be written."""
        self._config = config
        self._run = run
        self._redactor = Redactor(run.settings.redact)
        name = given(config, "events")
        self._file = absolute(Path(config.invocation_params.dir, name)) if name else None
        try:
            self._events = Events(self._file)
        except OSError as error:
            raise pytest.UsageError(f"--events {name}: {error.strerror or error}") from error
        self._about = {"name": run.evidence.run, "command": run.command}
        self._page: LivePage | None = None
        self._follower: Follower | None = None
        self._reports: dict[str, list[pytest.TestReport]] = defaultdict(list)
        if given(config, "live"):
            folder = EvidenceFolder(run.settings.state_dir).of_run(run.evidence.run)
            self._page = LivePage(
                self._events, lambda: page_of(self._about, [], is_live=True), folder
            )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Say where the page is, in a quiet run, too; tell which run it is."""
        terminal: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._page is not None and terminal is not None:
            terminal.write_line(f"nomock: live at {self._page.url}")
        self._events.tell("run", version=VERSION, **self._about)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell that a test begins."""
        if self._follower is None and self._run.settings.files:
            self._follower = self._following()
        if self._follower is not None:
            self._follower.begin(nodeid)
        self._events.tell("start", id=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell how a test ended, once it has, with its evidence."""
        self._reports[report.nodeid].append(report)
        if report.when == "teardown":
            if self._follower is not None:
                self._follower.end(report.nodeid)
            self._events.tell("end", **self._ended(self._reports.pop(report.nodeid)))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Tell that the run is over; who listens gets that yet."""
        self._events.tell("finish", exit_status=int(exitstatus))
        if self._follower is not None:
            self._follower.close()
        self._events.close()
        if self._page is not None:
            self._page.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say that the file of the events is not whole."""
        if self._events.error is not None:
            terminalreporter.write_line(f"{self._file} is not whole: {self._events.error}")

    def _following(self) -> Follower:
        main = self._run.main
        for service in main.project.services.values():
            self._redactor.learn_environment(service.environment)
        return Follower(
            main.target,
            lambda: (main.name, *left_names(main)),
            self._redactor,
            lambda test, line: self._events.tell("log", id=test, line=line),
        )

    def _ended(self, reports: list[pytest.TestReport]) -> dict[str, Any]:
        last = reports[-1]
        evidence = dict(last.user_properties).get(PROPERTY)
        if evidence is not None:
            try:
                path = absolute(Path(self._config.invocation_params.dir, str(evidence)))
                record = read_evidence(path)
                return {**summary(record), "record": record}
            except EvidenceError:
                pass  # the disk is full, perhaps; what pytest knows is told all the same
        failed = [report for report in reports if report.failed]
        skipped = any(report.skipped for report in reports)
        text = failed[0].longreprtext.splitlines() if failed else []
        return {
            "id": last.nodeid,
            "outcome": "failed" if failed else "skipped" if skipped else "passed",
            "took_s": round(sum(report.duration for report in reports), 4),
            "worker": getattr(last, "worker_id", ""),
            "message": self._redactor.text(text[-1]) if text else "",
            "file": "",
        }
