"""What a test expects of some spans of its trace: ``trace.expect("web GET /").calls(…)``."""

from __future__ import annotations

from collections.abc import Sequence

from nomock.errors import ConfigError
from nomock.traces.model import Span, Trace
from nomock.traces.observed import ObservedTrace
from nomock.traces.selector import Selector
from nomock.traces.tree import label
from nomock.traces.whole import assert_linked, assert_unbroken


class Expectation:
    """What is expected of the spans that a selector means; each method returns it again."""

    def __init__(self, observed: ObservedTrace, wanted: Selector) -> None:
        self._observed = observed
        self._wanted = wanted

    @property
    def spans(self) -> Sequence[Span]:
        """The spans that the selector means, as far as they have arrived."""
        return self._wanted.among(self._observed.wait.read().spans)

    def calls(self, *selectors: str) -> Expectation:
        """Assert that below one of the spans there is one for each selector, in any order.

        Below it: its children, what is linked to it, and all that is below these.
        """
        __tracebackhide__ = True
        wanted = [Selector.of(text) for text in selectors]
        if not wanted:
            raise ConfigError("calls() without a selector", where="trace", todo="name what it is")
        trace = self._observed.wait.until(lambda trace: bool(self._callers(trace, wanted)))
        if self._callers(trace, wanted):
            return self
        best = max(self._wanted.among(trace.spans), key=lambda s: -len(_lacks(trace, s, wanted)))
        lacks = _lacks(trace, best, wanted)
        names = ", ".join(repr(each.text) for each in lacks)
        raise self._observed.error(
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

        trace = self._observed.wait.until(holds)
        if not holds(trace):
            found = self._wanted.among(trace.spans)
            marks = {span.span_id: f"{key} is {_shown(span, key)}" for span in found}
            what = f"no {self._wanted.text!r} has {key} = {value!r}"
            raise self._observed.error(trace, what, marks=marks)
        return self

    def count(self, selector: str, n: int) -> Expectation:
        """Assert that below the spans there are exactly so many of another selector."""
        __tracebackhide__ = True
        wanted = Selector.of(selector)

        def below(trace: Trace) -> list[Span]:
            tops = self._wanted.among(trace.spans)
            found = {s.span_id: s for top in tops for s in trace.descendants(top)}
            return wanted.among(found.values())

        trace = self._observed.wait.settled(lambda trace: len(below(trace)) >= n)
        if len(found := below(trace)) != n:
            raise self._observed.count_error(trace, wanted, found, n)
        return self

    def within(self, ms: float) -> Expectation:
        """Assert that each of the spans took so many milliseconds at the most."""
        __tracebackhide__ = True
        trace = self._observed.wait.settled(lambda trace: bool(self._wanted.among(trace.spans)))
        slow = [s for s in self._wanted.among(trace.spans) if s.duration_ms > ms]
        if slow:
            longest = max(span.duration_ms for span in slow)
            marks = {span.span_id: f"more than {ms:g} ms" for span in slow}
            what = f"{self._wanted.text!r} took {longest:.1f} ms, not {ms:g}"
            raise self._observed.error(trace, what, marks=marks)
        return self

    def no_errors(self) -> Expectation:
        """Assert that neither the spans nor what is below them has an error."""
        __tracebackhide__ = True
        trace = self._observed.wait.settled(lambda trace: bool(self._wanted.among(trace.spans)))
        tops = self._wanted.among(trace.spans)
        below = {s.span_id: s for top in tops for s in (top, *trace.descendants(top))}
        wrong = [span for span in below.values() if span.status == "ERROR" or span.exceptions]
        if wrong:
            names = ", ".join(dict.fromkeys(map(label, wrong)))
            marks = {span.span_id: "an error" for span in wrong}
            what = f"errors below {self._wanted.text!r}: {names}"
            raise self._observed.error(trace, what, marks=marks)
        return self

    def unbroken(self) -> Expectation:
        """Assert that the whole trace is unbroken: ``trace.unbroken()``."""
        __tracebackhide__ = True
        assert_unbroken(self._observed)
        return self

    def linked(self) -> Expectation:
        """Assert that no queue lost the trace: ``trace.linked()``."""
        __tracebackhide__ = True
        assert_linked(self._observed)
        return self

    def _callers(self, trace: Trace, wanted: Sequence[Selector]) -> list[Span]:
        tops = self._wanted.among(trace.spans)
        return [span for span in tops if not _lacks(trace, span, wanted)]


def _lacks(trace: Trace, span: Span, wanted: Sequence[Selector]) -> list[Selector]:
    """Return the selectors for which nothing is below a span."""
    below = list(trace.descendants(span))
    return [each for each in wanted if not each.among(below)]


def _shown(span: Span, key: str) -> str:
    found = [span.attributes, span.resource, *(event.attributes for event in span.exceptions)]
    return next((repr(each[key]) for each in found if key in each), "not set")
