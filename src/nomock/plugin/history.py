"""What the last run of this stack came to, when it was green last, and how each test ended last.

For ``nomock diagnose``, and for the order of affected tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

import pytest

from nomock.config import Settings
from nomock.project import Store

_TESTS = "tests"


def tests_before(settings: Settings) -> Mapping[str, Any]:
    """Return test -> how long it took in its last run, in seconds, and whether it failed."""
    found: Mapping[str, Any] = Store(settings.state_dir, _TESTS).read()
    return found


class History:
    """Collects the failures of a run and writes them down at its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._failed: list[dict[str, str]] = []
        self._took_s: dict[str, float] = defaultdict(float)
        self._began_s = time()
        self._outcomes: dict[str, tuple[str, str]] = {}

    def add(self, report: pytest.TestReport) -> None:
        """Remember how long a phase of a test took, and what failed."""
        self._took_s[report.nodeid] += report.duration
        outcome, why = outcome_of(report)
        known, _ = self._outcomes.get(report.nodeid, ("passed", ""))
        if known == "passed" or report.failed:
            self._outcomes[report.nodeid] = (outcome, why)
        if report.failed:
            reason = getattr(report.longrepr, "reprcrash", None)
            text = reason.message if reason else str(report.longrepr)
            self._failed.append(
                {"test": report.nodeid, "when": report.when or "", "message": text[:500]}
            )

    def add_start(self, error: Exception) -> None:
        """Remember that the stack did not become ready, so that no test ran."""
        self._failed.append({"test": "(none ran)", "when": "start", "message": str(error)})

    def add_end(self, message: str) -> None:
        """Remember why the run ended before its tests had all run."""
        self._failed.append({"test": "(the others did not run)", "when": "end", "message": message})

    def write(
        self,
        exit_status: int,
        command: str,
        root: Path,
        evidence: str = "",
        *,
        is_covered: bool = False,
    ) -> None:
        """Write the run down; a green one also with the state of the files it was green with.

        ``root`` is the folder that the ids of tests are relative to; ``evidence`` is the name of
        the run where its tests left some; ``is_covered``: it has reported which lines ran.
        """
        run = {
            "began_s": self._began_s,
            "ended_s": time(),
            "command": command,
            "exit_status": int(exit_status),
            "failed": self._failed,
            "evidence": evidence,
            "target": self._settings.target,
            "sandbox": self._settings.sandbox,
            "context": self._settings.context,
            "is_covered": is_covered,
            "outcomes": self._outcomes,
        }
        Store(self._settings.state_dir, "last-run").write(run)
        self._write_tests(root)
        if exit_status == pytest.ExitCode.OK:
            from nomock.adapters.git import snapshot

            green = {"ended_s": time(), "commit": snapshot(self._settings.root)}
            Store(self._settings.state_dir, "last-green").write(green)

    def _write_tests(self, root: Path) -> None:
        failed = {failure["test"] for failure in self._failed}
        ran = {test: [round(took, 6), test in failed] for test, took in self._took_s.items()}
        known = {
            test: how
            for test, how in tests_before(self._settings).items()
            if test not in ran and (root / test.partition("::")[0]).is_file()
        }
        Store(self._settings.state_dir, _TESTS).write({**known, **ran})


def outcome_of(report: pytest.TestReport) -> tuple[str, str]:
    """Return what a phase of a test came to, and why it was not just passed."""
    if hasattr(report, "wasxfail"):
        return ("xfailed" if report.skipped else "xpassed"), str(report.wasxfail)
    if report.skipped:
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return "skipped", said.removeprefix("Skipped: ")
    if report.failed:
        reason = getattr(report.longrepr, "reprcrash", None)
        text = reason.message if reason else str(report.longrepr)
        return "failed", text.partition("\n")[0][:500]
    return "passed", ""
