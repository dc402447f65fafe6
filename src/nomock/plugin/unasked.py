"""Warns at the end of a run of services that died, restarted or turned unhealthy meanwhile.

A failing test tells so itself; a green one may have been green in spite of it. Nothing is asked of
the engine by a run that used no stack, and one request by one in which nothing happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from nomock.errors import NomockError
from nomock.moments import now
from nomock.plugin.deeds import deeds_of, lane_of

if TYPE_CHECKING:  # a run in which nothing happened needs none of it
    from nomock.evidence import Mishap
    from nomock.stack import Stack
    from nomock.target import Container

_TITLE = "what befell the services, and failed no test"
# A run that is over waits no longer for a warning.
_ANSWER_TIMEOUT_S = 3.0
# Where everything went down at once, the first ones say enough.
_MOST_DETAILED = 5


class Unasked:
    """Hears of the tests, in the process that stands for the run, and looks once at its end."""

    def __init__(self) -> None:
        self._began = now()
        self._running: dict[str, float] = {}
        self._tests: list[tuple[str, float, float]] = []
        self._lanes: dict[str, str] = {}
        """Test -> the stack that it ran on, where a worker has said which."""
        # The fields of what the reports carry.
        self._acts: list[Any] = []
        self._spans: list[Any] = []
        self._told: list[Any] = []
        self._crashed = False
        self._lines: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note when a test began."""
        self._running[nodeid] = monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what the test did, and what it told."""
        acts, spans, told = deeds_of(report)
        if stack := lane_of(report):
            self._lanes[report.nodeid] = stack
        self._acts += acts
        self._spans += spans
        self._told += told

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note when it ended."""
        if nodeid in self._running:
            self._tests.append((nodeid, self._running.pop(nodeid), monotonic()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        """Note that nobody knows what the test of a crashed worker did."""
        self._crashed = self._crashed or bool(error)

    def look(self, stacks: Iterable[Stack]) -> None:
        """Look at the first stack and its lanes, and keep what is to be said.

        A look that fails says nothing.
        """
        for number, stack in enumerate(stacks):
            self._look(stack, f"nomock --project {stack.name} logs" if number else "nomock logs")

    def _look(self, stack: Stack, logs: str) -> None:
        if stack.ready_s is None or self._crashed:
            return
        with suppress(NomockError):
            containers = stack.target.containers(stack.name, timeout_s=_ANSWER_TIMEOUT_S)
            # Where the clock was set forward, the engine takes all to have run for longer.
            within_s = monotonic() - stack.ready_s + max(self._began.set_s, 0.0)
            if _is_suspicious(stack, containers, within_s):
                self._lines += _lines(self._found(stack, containers, stack.ready_s), logs)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print it."""
        if self._lines:
            terminalreporter.section(_TITLE, yellow=True)
            terminalreporter.write_line("\n".join(self._lines))

    def _found(self, stack: Stack, containers: Sequence[Container], ready_s: float) -> list[Mishap]:
        from nomock.evidence import RunWindow, Scene, Span, unasked
        from nomock.target import Act

        target = stack.target
        # What was asked in this process is in its tests' reports, too, but for the fixtures' ends.
        acts = {*target.acts, *(Act(*act) for act in self._acts)}
        target.acts = sorted(acts, key=lambda act: act.at_s)
        tests = [
            Span(test, "", began_s, ended_s)
            for test, began_s, ended_s in self._tests
            if self._lanes.get(test, stack.name) == stack.name
        ]
        scene = Scene(
            project=stack.name,
            window=RunWindow.of(target, self._began, ready_s=ready_s).with_tests(tests),
            spans=[Span(*span) for span in self._spans],
            lost=stack.lost(containers),
            one_shots=stack.project.one_shots | _may_end(stack),
            ignores_health=stack.settings.probes.keys(),
        )
        return unasked(target, containers, scene, [Span(*span) for span in self._told])


def _is_suspicious(stack: Stack, containers: Sequence[Container], within_s: float) -> bool:
    """Tell whether a container may have ended, started or turned unhealthy, or is gone."""
    count = Counter(container.service for container in containers)
    services = stack.project.services
    return any(
        container.may_have_changed(within_s)
        or (container.health == "unhealthy" and container.service not in stack.settings.probes)
        for container in containers
    ) or any(count[name] < services[name].replicas for name in stack.project.wanted)


def _may_end(stack: Stack) -> set[str]:
    """Return the services of which an end with 0 is no news: their author says that they may."""
    services = stack.project.services.items()
    return {name for name, service in services if service.may_end and not service.published_ports}


def _lines(found: Sequence[Mishap], logs: str) -> list[str]:
    lines = []
    for number, mishap in enumerate(found):
        lines.append(mishap.line)
        if number < _MOST_DETAILED:
            lines += [f"  {line}" for line in mishap.details]
    services = dict.fromkeys(mishap.service for mishap in found)
    return [*lines, *(f"-> see all of it: {logs} {name}" for name in services)]
