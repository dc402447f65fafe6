"""What a test expects of its trace: the fixture ``trace``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from nomock.errors import ConfigError, TraceAssertionError
from nomock.traces.model import Span, Trace
from nomock.traces.selector import Selector
from nomock.traces.source import Source
from nomock.traces.tree import label, tree
from nomock.traces.waiting import Waiting

WITHIN_S = 10.0
"""How long a test waits for spans that it expects."""


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
        within_s: float = WITHIN_S,
    ) -> None:
        """``killed``: the services that a fault ended meanwhile, whose spans may be lost."""
        self._source_of = source
        self._delay_s = delay_s
        self._killed = killed
        self._within_s = within_s
        self._waiting: Waiting | None = None

    @property
    def id(self) -> str:
        """The trace id: 32 hexadecimal digits, the same in the services' logs."""
        return self._source_of().context.trace_id

    @property
    def headers(self) -> dict[str, str]:
        """The headers that make a request of any client part of this trace."""
        from nomock.tracecontext import trace_headers

        return trace_headers()

    @property
    def spans(self) -> Sequence[Span]:
        """The spans that have arrived, once nothing new has come for a while."""
        return self._wait.settled().spans

    def expect(self, selector: str) -> Expectation:
        """Expect a span, and return what can be asserted on all that the selector means."""
        __tracebackhide__ = True
        wanted = Selector.of(selector)
        trace = self._wait.until(lambda trace: bool(wanted.among(trace.spans)))
        if not wanted.among(trace.spans):
            raise self._error(
                trace,
                f"no span {selector!r} within {self._within_s:g} s",
                missing={"": [selector]},
                nearest=[wanted],
            )
        return Expectation(self, wanted)

    def count(self, selector: str, n: int) -> CurrentTrace:
        """Assert that there are exactly so many spans, and return the trace."""
        __tracebackhide__ = True
        wanted = Selector.of(selector)
        trace = self._wait.settled(lambda trace: len(wanted.among(trace.spans)) >= n)
        found = wanted.among(trace.spans)
        if len(found) != n:
            raise self._count_error(trace, wanted, found, n)
        return self

    def unbroken(self) -> CurrentTrace:
        """Assert that the trace is whole, and return it.

        Every span's parent is known, below the test's own span as the only root, and no service
        began another trace for this test. Spans of a service that a fault ended meanwhile may be
        lost.
        """
        __tracebackhide__ = True
        trace = self._wait.settled()
        killed = set(self._killed())
        orphans = [span for span in trace.orphans if not _is_excused(span, killed)]
        roots = [s for s in trace.spans if not s.parent_id and s.trace_id == trace.trace_id]
        lost = self._source.lost()
        if not (orphans or roots or lost):
            return self
        marks = {s.span_id: f"its parent {s.parent_id} is not known" for s in orphans}
        marks |= {span.span_id: "a second root" for span in roots}
        shown = [f"{label(s)} began a trace of its own, {s.trace_id}" for s in lost]
        what = "the trace is broken: " + "; ".join(
            [f"{label(span)}: {marks[span.span_id]}" for span in (*orphans, *roots)] + shown
        )
        todo = (
            "a parent that is not known has not ended, or was not sent; a service that begins a "
            "trace of its own got no traceparent: nomock docs traces"
        )
        raise self._error(trace, what, marks=marks, apart=lost, todo=todo)

    def no_errors(self) -> CurrentTrace:
        """Assert that no span has the status ERROR or an exception, and return the trace."""
        __tracebackhide__ = True
        trace = self._wait.settled()
        wrong = [span for span in trace.spans if span.status == "ERROR" or span.exceptions]
        if wrong:
            marks = {span.span_id: "an error" for span in wrong}
            names = ", ".join(dict.fromkeys(map(label, wrong)))
            raise self._error(trace, f"there are errors: {names}", marks=marks)
        return self

    def within(self, ms: float) -> CurrentTrace:
        """Assert that all of it took so many milliseconds at the most, and return the trace.

        From the beginning of the first span to the end of the last one, by the services' clocks.
        """
        __tracebackhide__ = True
        trace = self._wait.settled()
        if not trace.spans:
            raise self._error(trace, "there are no spans")
        first = min(span.start_ns for span in trace.spans)
        last = max(trace.spans, key=lambda span: span.end_ns)
        took_ms = (last.end_ns - first) / 1e6
        if took_ms > ms:
            marks = {last.span_id: "ended last"}
            raise self._error(trace, f"it took {took_ms:.1f} ms, not {ms:g}", marks=marks)
        return self

    def linked(self) -> CurrentTrace:
        """Assert that each message was taken out of its queue in this trace, and return it.

        For each span of kind PRODUCER there is one of kind CONSUMER that is linked to it, and each
        of kind CONSUMER is linked to a span of this trace.
        """
        __tracebackhide__ = True
        trace = self._wait.until(lambda trace: bool(_producers(trace)) and not _untaken(trace))
        untaken = _untaken(trace)
        loose = [s for s in trace.spans if s.kind == "CONSUMER" and not s.links]
        if not _producers(trace):
            raise self._error(trace, "no span of kind PRODUCER: nothing was queued")
        if untaken or loose:
            marks = {span.span_id: "no consumer is linked to it" for span in untaken}
            marks |= {span.span_id: "linked to no producer" for span in loose}
            apart = self._source.lost()
            names = ", ".join(map(label, [*untaken, *loose]))
            raise self._error(trace, f"the queue lost the trace: {names}", marks=marks, apart=apart)
        return self

    @property
    def _source(self) -> Source:
        return self._source_of()

    @property
    def _wait(self) -> Waiting:
        if self._waiting is None:
            source = self._source
            self._waiting = Waiting(
                read=source.trace,
                sent=lambda: source.context.requests,
                delay_s=self._delay_s(),
                within_s=self._within_s,
            )
        return self._waiting

    def _count_error(
        self, trace: Trace, wanted: Selector, found: Sequence[Span], n: int
    ) -> TraceAssertionError:
        what = f"{len(found)} spans {wanted.text!r}, not {n}"
        marks = {span.span_id: "counted" for span in found}
        return self._error(trace, what, marks=marks, nearest=[] if found else [wanted])

    def _error(
        self,
        trace: Trace,
        what: str,
        *,
        marks: dict[str, str] | None = None,
        missing: dict[str, list[str]] | None = None,
        nearest: Sequence[Selector] = (),
        apart: Sequence[Span] = (),
        todo: str = "",
    ) -> TraceAssertionError:
        """Return the error, with the trace as a tree."""
        marks = marks or {}
        for wanted in nearest:
            todo = todo or self._silence(trace, wanted)
            near = wanted.nearest(trace.spans)
            if near is not None and near.span_id not in marks:
                marks[near.span_id] = f"nearest to {wanted.text!r}"
        source = self._source
        top = f"{source.test}, trace {source.context.trace_id}"
        told = tree(trace, top, marks=marks, missing=missing)
        for span in apart:
            told += f"\n{label(span)}, {span.kind.lower()}, trace {span.trace_id}  <-- not in it"
        if not trace.spans:
            told += f"\nno span has arrived; its test sent {source.context.requests} requests"
            todo = todo or "what there may be to see: nomock docs traces"
        return TraceAssertionError(source.context.trace_id, what, tree=told, todo=todo)

    def _silence(self, trace: Trace, wanted: Selector) -> str:
        """Return why no span can name whom a selector names; "" where any does."""
        anything = Selector.of(wanted.who)
        why = self._source.silent.get(wanted.who)
        if why is None or anything.among(trace.spans):
            return ""
        return f"service {wanted.who} has no spans of its own: {why}; and no span says it calls it"


class Expectation:
    """What is expected of the spans that a selector means; each method returns it again."""

    def __init__(self, trace: CurrentTrace, wanted: Selector) -> None:
        self._trace = trace
        self._wanted = wanted

    @property
    def spans(self) -> Sequence[Span]:
        """The spans that the selector means, as far as they have arrived."""
        return self._wanted.among(self._trace._wait.read().spans)

    def calls(self, *selectors: str) -> Expectation:
        """Assert that below one of the spans there is one for each selector, in any order.

        Below it: its children, what is linked to it, and all that is below these.
        """
        __tracebackhide__ = True
        wanted = [Selector.of(text) for text in selectors]
        if not wanted:
            raise ConfigError("calls() without a selector", where="trace", todo="name what it is")
        trace = self._trace._wait.until(lambda trace: bool(self._callers(trace, wanted)))
        if self._callers(trace, wanted):
            return self
        best = max(self._wanted.among(trace.spans), key=lambda s: -len(_lacks(trace, s, wanted)))
        lacks = _lacks(trace, best, wanted)
        names = ", ".join(repr(each.text) for each in lacks)
        raise self._trace._error(
            trace,
            f"{self._wanted.text!r} does not call {names}",
            marks={best.span_id: "here"},
            missing={best.span_id: [each.text for each in lacks]},
            nearest=lacks,
        )

    def attribute(self, key: str, value: object) -> Expectation:
        """Assert that one of the spans has an attribute with this value.

        Also an attribute of an exception that was recorded in it, such as ``exception.type``, or
        of its resource.
        """
        __tracebackhide__ = True

        def holds(trace: Trace) -> bool:
            return any(span.has(key, value) for span in self._wanted.among(trace.spans))

        trace = self._trace._wait.until(holds)
        if not holds(trace):
            found = self._wanted.among(trace.spans)
            marks = {span.span_id: f"{key} is {_shown(span, key)}" for span in found}
            what = f"no {self._wanted.text!r} has {key} = {value!r}"
            raise self._trace._error(trace, what, marks=marks)
        return self

    def count(self, selector: str, n: int) -> Expectation:
        """Assert that below the spans there are exactly so many of another selector."""
        __tracebackhide__ = True
        wanted = Selector.of(selector)

        def below(trace: Trace) -> list[Span]:
            tops = self._wanted.among(trace.spans)
            found = {s.span_id: s for top in tops for s in trace.descendants(top)}
            return wanted.among(found.values())

        trace = self._trace._wait.settled(lambda trace: len(below(trace)) >= n)
        if len(found := below(trace)) != n:
            raise self._trace._count_error(trace, wanted, found, n)
        return self

    def within(self, ms: float) -> Expectation:
        """Assert that each of the spans took so many milliseconds at the most."""
        __tracebackhide__ = True
        trace = self._trace._wait.settled(lambda trace: bool(self._wanted.among(trace.spans)))
        slow = [s for s in self._wanted.among(trace.spans) if s.duration_ms > ms]
        if slow:
            longest = max(span.duration_ms for span in slow)
            marks = {span.span_id: f"more than {ms:g} ms" for span in slow}
            what = f"{self._wanted.text!r} took {longest:.1f} ms, not {ms:g}"
            raise self._trace._error(trace, what, marks=marks)
        return self

    def no_errors(self) -> Expectation:
        """Assert that neither the spans nor what is below them has an error."""
        __tracebackhide__ = True
        trace = self._trace._wait.settled(lambda trace: bool(self._wanted.among(trace.spans)))
        tops = self._wanted.among(trace.spans)
        below = {s.span_id: s for top in tops for s in (top, *trace.descendants(top))}
        wrong = [span for span in below.values() if span.status == "ERROR" or span.exceptions]
        if wrong:
            names = ", ".join(dict.fromkeys(map(label, wrong)))
            marks = {span.span_id: "an error" for span in wrong}
            what = f"errors below {self._wanted.text!r}: {names}"
            raise self._trace._error(trace, what, marks=marks)
        return self

    def unbroken(self) -> Expectation:
        """Assert that the whole trace is unbroken: ``trace.unbroken()``."""
        __tracebackhide__ = True
        self._trace.unbroken()
        return self

    def linked(self) -> Expectation:
        """Assert that no queue lost the trace: ``trace.linked()``."""
        __tracebackhide__ = True
        self._trace.linked()
        return self

    def _callers(self, trace: Trace, wanted: Sequence[Selector]) -> list[Span]:
        tops = self._wanted.among(trace.spans)
        return [span for span in tops if not _lacks(trace, span, wanted)]


def _lacks(trace: Trace, span: Span, wanted: Sequence[Selector]) -> list[Selector]:
    """Return the selectors for which nothing is below a span."""
    below = list(trace.descendants(span))
    return [each for each in wanted if not each.among(below)]


def _producers(trace: Trace) -> list[Span]:
    return [span for span in trace.spans if span.kind == "PRODUCER"]


def _untaken(trace: Trace) -> list[Span]:
    return [span for span in _producers(trace) if not trace.consumers(span)]


def _is_excused(orphan: Span, killed: Collection[str]) -> bool:
    """Tell whether the parent of a span may have been lost with a service that a fault ended.

    That of a request or a job is of another service, that of any other span of the same one.
    """
    if orphan.kind in {"SERVER", "CONSUMER"}:
        return bool(set(killed) - {orphan.service})
    return orphan.service in killed


def _shown(span: Span, key: str) -> str:
    found = [span.attributes, span.resource, *(event.attributes for event in span.exceptions)]
    return next((repr(each[key]) for each in found if key in each), "not set")
