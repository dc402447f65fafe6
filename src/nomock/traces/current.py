"""What a test expects of its trace: the fixture ``trace``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from nomock.traces.expectation import Expectation
from nomock.traces.model import Span
from nomock.traces.observed import ObservedTrace
from nomock.traces.selector import Selector
from nomock.traces.source import Source
from nomock.traces.tree import label
from nomock.traces.whole import assert_linked, assert_unbroken


class CurrentTrace:
    """The trace of the test that runs: ``trace.expect("instances POST /instances").calls(…)``.

    Each method asserts at once: it waits until what is expected has arrived, and raises
    TraceAssertionError, which shows the trace as a tree, where that does not happen. What must not
    be there is judged once no span has come for more than twice the export delay.
    """

    def __init__(
        self,
        source: Callable[[], Source],
        *,
        delay_s: Callable[[], float],
        killed: Callable[[], Collection[str]] = lambda: (),
    ) -> None:
        """``killed``: the services that a fault ended meanwhile, whose spans may be lost."""
        self._observed = ObservedTrace(source, delay_s=delay_s, killed=killed)

    @property
    def id(self) -> str:
        """The trace id: 32 hexadecimal digits, the same in the services' logs."""
        return self._observed.source.context.trace_id

    @property
    def headers(self) -> dict[str, str]:
        """The headers that make a request of any client part of this trace."""
        from nomock.tracecontext import trace_headers

        return trace_headers()

    @property
    def spans(self) -> Sequence[Span]:
        """The spans that have arrived, once nothing new has come for a while."""
        return self._observed.wait.settled().spans

    def expect(self, selector: str) -> Expectation:
        """Expect a span, and return what can be asserted on all that the selector means."""
        __tracebackhide__ = True
        wanted = Selector.of(selector)
        trace = self._observed.wait.until(lambda trace: bool(wanted.among(trace.spans)))
        if not wanted.among(trace.spans):
            raise self._observed.error(
                trace,
                f"no span {selector!r} within {self._observed.within_s:g} s",
                missing={"": [selector]},
                nearest=[wanted],
            )
        return Expectation(self._observed, wanted)

    def count(self, selector: str, n: int) -> CurrentTrace:
        """Assert that there are exactly so many spans, and return the trace."""
        __tracebackhide__ = True
        wanted = Selector.of(selector)
        trace = self._observed.wait.settled(lambda trace: len(wanted.among(trace.spans)) >= n)
        found = wanted.among(trace.spans)
        if len(found) != n:
            raise self._observed.count_error(trace, wanted, found, n)
        return self

    def unbroken(self) -> CurrentTrace:
        """Assert that the trace is whole, and return it.

        Every span's parent is known, below the test's own span as the only root, and no service
        began another trace for this test. Spans of a service that a fault ended meanwhile may be
        lost.
        """
        __tracebackhide__ = True
        assert_unbroken(self._observed)
        return self

    def no_errors(self) -> CurrentTrace:
        """Assert that no span has the status ERROR or an exception, and return the trace."""
        __tracebackhide__ = True
        trace = self._observed.wait.settled()
        wrong = [span for span in trace.spans if span.status == "ERROR" or span.exceptions]
        if wrong:
            marks = {span.span_id: "an error" for span in wrong}
            names = ", ".join(dict.fromkeys(map(label, wrong)))
            raise self._observed.error(trace, f"there are errors: {names}", marks=marks)
        return self

    def within(self, ms: float) -> CurrentTrace:
        """Assert that all of it took so many milliseconds at the most, and return the trace.

        From the beginning of the first span to the end of the last one, by the services' clocks.
        """
        __tracebackhide__ = True
        trace = self._observed.wait.settled()
        if not trace.spans:
            raise self._observed.error(trace, "there are no spans")
        first = min(span.start_ns for span in trace.spans)
        last = max(trace.spans, key=lambda span: span.end_ns)
        took_ms = (last.end_ns - first) / 1e6
        if took_ms > ms:
            marks = {last.span_id: "ended last"}
            raise self._observed.error(trace, f"it took {took_ms:.1f} ms, not {ms:g}", marks=marks)
        return self

    def linked(self) -> CurrentTrace:
        """Assert that each message was taken out of its queue in this trace, and return it.

        For each span of kind PRODUCER there is one of kind CONSUMER that is linked to it, and each
        of kind CONSUMER is linked to a span of this trace.
        """
        __tracebackhide__ = True
        assert_linked(self._observed)
        return self
