"""What a failing test's report has of the services: what befell them, the faults, their logs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative

from nomock.adapters.exchanges import kept_exchanges
from nomock.errors import NomockError
from nomock.evidence import Mishap, Scene, Span, Window, mishaps, settle
from nomock.evidence.record import Found, Seen, marks_of
from nomock.evidence.redact import Redactor
from nomock.evidence.showing import shown_logs
from nomock.evidence.timeline import TestNames, timeline
from nomock.faults.left import Entry, on_elsewhere
from nomock.moments import Moment
from nomock.plugin.deeds import tell
from nomock.plugin.early_end import EarlyEnd
from nomock.plugin.items import faults_of, uses_stack
from nomock.plugin.run import Run
from nomock.stack import Stack

_MISHAPS = "What befell the services"
_FAULTS = "Faults of the test"
_CLOCK = "The clock"
_LOGS = "Service logs in the test's window"
# Where everything went down at once, the first ones say enough.
_MOST_DETAILED = 5


class Failing:
    """Takes the evidence of a test that failed, in whichever phase."""

    def __init__(self, run: Run, early_end: EarlyEnd) -> None:
        self._run = run
        self._early_end = early_end

    def take(self, item: pytest.Item, report: pytest.TestReport, began: Moment) -> Found:
        """Put it into the report; nothing is asked of the engine but for a test on a stack."""
        found = self._found(began)
        faults = faults_of(item)
        if faults is not None and faults.story:
            lines = [f"{at_s - began.monotonic_s:8.3f} s  {told}" for at_s, told in faults.story]
            report.sections.append((_FAULTS, "\n".join(lines)))
        stack = self._stack_of(item)
        if stack is None:
            return found
        try:
            if not self._early_end.look(stack.target, item, report):
                self._take(stack, item, report, began, found)
        except NomockError as error:  # a broken engine must not hide the test's own failure
            report.sections.append((_LOGS, str(error)))
            found.seen.missing.append(str(error))
        return found

    def glance(self, item: pytest.Item, began: Moment) -> Found:
        """Take the evidence of a test that passed: it waits for no service that may yet end."""
        found = self._found(began)
        stack = self._stack_of(item)
        if stack is not None:
            try:
                seen = found.seen
                seen.stack, seen.containers = stack.name, stack.target.containers(stack.name)
                seen.window = Window.of(stack.target, began, ready_s=stack.ready_s)
                self._read_logs(stack, item, found, seen.window)
                self._read_trace(stack, seen, seen.window)
            except NomockError as error:
                found.seen.missing.append(str(error))
        return found

    def _found(self, began: Moment) -> Found:
        """Begin with the database: what waits for a lock there may not do so for long."""
        database, missing = self._run.statements.seen(began.monotonic_s)
        return Found(Seen(database=database, missing=missing), Redactor(self._run.settings.redact))

    def _stack_of(self, item: pytest.Item) -> Stack | None:
        # A fixture of the test may have made a stack of its own.
        own = getattr(item, "funcargs", {}).get("stack")
        if isinstance(own, Stack):
            return own
        return self._run.stack if uses_stack(item) else None

    def _take(
        self,
        stack: Stack,
        item: pytest.Item,
        report: pytest.TestReport,
        began: Moment,
        found: Found,
    ) -> None:
        target, seen = stack.target, found.seen
        seen.stack = stack.name
        seen.containers = settle(target, lambda: target.containers(stack.name))
        seen.window = window = Window.of(target, began, ready_s=stack.ready_s)
        if window.notice:
            report.sections.append((_CLOCK, window.notice))
            seen.missing.append(f"the clock: {window.notice}")
        if stack.ready_s is not None or self._run.is_worker:  # else its start says what befell it
            elsewhere = list(on_elsewhere(stack.settings.state_dir, stack.name))
            lost = stack.lost(seen.containers)
            scene = self._scene(stack, item, window, lost, elsewhere)
            left = self._run.faults.of(stack).left
            seen.faults_of_others = [
                *({"name": entry.name, "test": entry.test} for entry in elsewhere),
                *({"name": name, "test": test} for name, test in left),
            ]
            seen.mishaps = mishaps(target, seen.containers, scene)
            _show(report, seen.mishaps)
            told = [Span("", m.container_id, window.since_s, window.now_s) for m in seen.mishaps]
            tell(report, told=told)
        self._read_logs(stack, item, found, window)
        self._read_trace(stack, seen, window)
        text = shown_logs(seen.logs, began_s=window.began_s, cap=self._run.settings.log_lines)
        report.sections.append((_LOGS, text or "(none)"))

    def _read_trace(self, stack: Stack, seen: Seen, window: Window) -> None:
        try:
            spans = self._run.traces.seen(stack)
        except NomockError as error:
            seen.missing.append(str(error))
            return
        seen.trace = [
            {
                "service": span.service,
                "name": span.name,
                "trace_id": span.trace_id,
                "span_id": span.span_id,
                "parent_id": span.parent_id,
                "kind": span.kind,
                "at_s": round(span.start_ns / 1e9 - window.began_s, 4),
                "until_s": round(span.end_ns / 1e9 - window.began_s, 4),
                "status": span.status,
                # The older name is that of most instrumentations still.
                "statement": span.value("db.query.text", "db.statement"),
            }
            for span in spans
        ]

    @staticmethod
    def _read_logs(stack: Stack, item: pytest.Item, found: Found, window: Window) -> None:
        for service in stack.project.services.values():
            found.redactor.learn_environment(service.environment)
        exchanges, _ = kept_exchanges()
        found.seen.logs = timeline(
            stack.target,
            found.seen.containers,
            since_s=window.earliest_s,
            names=TestNames(item.nodeid, marks_of(exchanges)),
            redactor=found.redactor,
        )

    def _scene(
        self,
        stack: Stack,
        item: pytest.Item,
        window: Window,
        lost: set[str],
        elsewhere: Sequence[Entry],
    ) -> Scene:
        faults = faults_of(item)
        return Scene(
            project=stack.name,
            window=window,
            test=item.nodeid,
            spans=faults.spans if faults is not None else (),
            others={
                str(entry.arguments["service"]): f"fault {entry.name} of {entry.test}"
                for entry in elsewhere
                if "service" in entry.arguments
            },
            lost=lost,
            one_shots=stack.project.one_shots,
            ignores_health=stack.settings.probes.keys(),
        )


def _show(report: pytest.TestReport, found: Sequence[Mishap]) -> None:
    """Put what nobody asked for before all else, also before the traceback."""
    told: list[str] = []
    # What a fault of the test did is told with the faults.
    for number, mishap in enumerate(m for m in found if not m.is_of_a_fault):
        told += [mishap.line]
        told += [f"  {line}" for line in mishap.details if number < _MOST_DETAILED]
    if told:
        report.sections.insert(0, (_MISHAPS, "\n".join(told)))
    unasked = [f"{mishap.line}\n" for mishap in found if not mishap.is_asked]
    if unasked and isinstance(report.longrepr, ExceptionChainRepr):
        first = report.longrepr.chain[0][0]
        first.reprentries = [ReprEntryNative(unasked), *first.reprentries]
