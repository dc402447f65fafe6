"""What a worker of pytest-xdist left broken that was killed in its test: healed for the others."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.plugin.use import Use


class WorkerCrash:
    """The hooks of the controller that hear of a worker's end."""

    def __init__(self, use: Use) -> None:
        self._use = use
        self._any = False
        self._said = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        """Heal what a worker left that has crashed."""
        if error:
            self._any = True
            self._heal()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self) -> None:
        """Heal once more when another worker is there: the first may still have been ending."""
        if self._any:
            self._heal()

    def _heal(self) -> None:
        """Heal; what cannot be healed is said once, and the others go on."""
        run = self._use.begun()
        if run is None or not run.settings.files:
            return
        from nomock.lanes.kinds import left_lanes

        try:
            for stack in (run.main, *(lane.stack for lane in left_lanes(run.main))):
                run.faults.of(stack).heal_orphaned(run.progress.show, starts=True)
        except Exception as error:  # whatever it is, the run is not to end by it
            self._say(str(error))
        run.progress.end()

    def _say(self, text: str) -> None:
        terminal: Any = self._use.config.pluginmanager.get_plugin("terminalreporter")
        if text != self._said and terminal is not None:
            self._said = text
            terminal.ensure_newline()
            terminal.write_line(text)
