"""``--traces``: each test begins a trace, which the services go on with and the test asserts on.

A run without the option has the null object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from nomock.config import Settings
from nomock.moments import Moment, now
from nomock.plugin.items import faults_of, uses_stack

if TYPE_CHECKING:  # loaded once a test uses it
    from nomock.progress import Progress
    from nomock.stack import Stack
    from nomock.tracecontext import TraceContext
    from nomock.traces import CurrentTrace, Span


class Traces(Protocol):
    """What a run does about traces, around each of its tests."""

    def begin(self, item: pytest.Item) -> None:
        """A test begins: its requests carry its trace from now on."""

    def end(self, stack: Stack | None) -> None:
        """It is over; ``stack`` is what it used, None where it used none."""

    def current(self, stack: Stack) -> CurrentTrace:
        """Return the trace of the test that runs, as it asserts on it.

        Raises TraceBackendError where the backend is not there.
        """

    def seen(self, stack: Stack) -> Sequence[Span]:
        """Return the spans of the test that runs, for its evidence; raises TraceBackendError."""

    def check(self, item: pytest.Item, stack: Stack) -> None:
        """Fail where a test is to have an unbroken trace, and has not."""


class NoTraces:
    """The traces of a run without them."""

    def begin(self, item: pytest.Item) -> None:
        """Do nothing."""

    def end(self, stack: Stack | None) -> None:
        """Do nothing."""

    def current(self, stack: Stack) -> CurrentTrace:
        """Skip the test, and say what it needs."""
        pytest.skip("it asserts on traces: pytest --traces")

    def seen(self, stack: Stack) -> Sequence[Span]:
        """Return none."""
        return ()

    def check(self, item: pytest.Item, stack: Stack) -> None:
        """Do nothing."""


class TestsTraces:
    """The traces of a run with ``--traces``; what it takes is loaded by this alone."""

    __test__ = False

    def __init__(self, settings: Settings) -> None:
        self._checks_all = settings.traced == "all"
        self._item: pytest.Item | None = None
        self._context: TraceContext | None = None
        self._began: Moment = now()

    def begin(self, item: pytest.Item) -> None:
        """Begin the trace of a test."""
        from nomock import tracecontext

        self._item, self._began = item, now()
        self._context = tracecontext.begin()

    def end(self, stack: Stack | None) -> None:
        """End it: its own span goes to the backend."""
        from nomock import tracecontext
        from nomock.traces.session import send_test

        tracecontext.end()
        assert self._context is not None and self._item is not None, "a test runs"
        if stack is not None:
            faults = faults_of(self._item)
            names = {span.name for span in faults.spans} if faults is not None else set()
            send_test(stack, self._context, self._item.nodeid, self._began, names)
        self._item = None

    def current(self, stack: Stack) -> CurrentTrace:
        """Return the trace of the test that runs; raises TraceBackendError."""
        from nomock.traces import CurrentTrace, Source
        from nomock.traces.session import (
            backend,
            delay_s,
            killed,
            probed,
            silent_services,
            traced_services,
        )

        assert self._context is not None and self._item is not None, "a test runs"
        began = self._began
        source = Source(
            backend(stack),
            self._context,
            self._item.nodeid,
            began,
            services=list(traced_services(stack.project)),
            probed=probed(stack),
            silent=silent_services(stack.project),
        )
        source.jaeger().trace(self._context.trace_id)  # or it is known now that nobody answers
        return CurrentTrace(
            lambda: source,
            delay_s=lambda: delay_s(stack.project),
            killed=lambda: killed(stack, began),
        )

    def seen(self, stack: Stack) -> Sequence[Span]:
        """Return its spans once nothing new comes; none where it asked for nothing, or is over."""
        if self._item is None or self._context is None or not self._context.requests:
            return ()
        return self.current(stack).spans

    def check(self, item: pytest.Item, stack: Stack) -> None:
        """Check the trace of a test that asks for it, or of each by the settings."""
        from nomock.errors import TraceError

        mark = item.get_closest_marker("traced")
        is_wanted = self._checks_all and uses_stack(item) if mark is None else mark.args != (False,)
        assert self._context is not None, "a test runs"
        if is_wanted and self._context.requests:
            try:
                self.current(stack).unbroken()
            except TraceError as error:
                raise pytest.fail.Exception(str(error), pytrace=False) from None


def traces_of(settings: Settings, *, on: bool) -> Traces:
    """Return what a run does about traces."""
    return TestsTraces(settings) if on else NoTraces()


def traced(settings: Settings, progress: Progress) -> Settings:
    """Return the settings of a run with traces; raise NomockError where there can be none."""
    from nomock.traces.session import with_traces

    try:
        return with_traces(settings, progress.show)
    finally:
        progress.end()
