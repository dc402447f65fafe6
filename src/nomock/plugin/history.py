"""What the last run of this stack came to, and when it was green last: for ``nomock diagnose``."""

from __future__ import annotations

from time import time

import pytest

from nomock.config import Settings
from nomock.project import Store


class History:
    """Collects the failures of a run and writes them down at its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._failed: list[dict[str, str]] = []
        self._began_s = time()

    def add(self, report: pytest.TestReport) -> None:
        """Remember a test that failed, in whichever phase."""
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

    def write(self, exit_status: int, command: str) -> None:
        """Write the run down; a green one also with the state of the files it was green with."""
        run = {
            "began_s": self._began_s,
            "ended_s": time(),
            "command": command,
            "exit_status": int(exit_status),
            "failed": self._failed,
        }
        Store(self._settings.state_dir, "last-run").write(run)
        if exit_status == pytest.ExitCode.OK:
            from nomock.adapters.git import snapshot

            green = {"ended_s": time(), "commit": snapshot(self._settings.root)}
            Store(self._settings.state_dir, "last-green").write(green)
