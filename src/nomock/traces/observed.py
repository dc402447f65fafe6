"""A trace as its test sees it arrive, and the error that shows what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from nomock.errors import TraceAssertionError
from nomock.traces.model import Span, Trace
from nomock.traces.selector import Selector
from nomock.traces.source import Source
from nomock.traces.tree import label, tree
from nomock.traces.waiting import Waiting

WITHIN_S = 10.0
"""How long a test waits for spans that it expects."""


class ObservedTrace:
    """Waits for the spans of the test that runs, and tells what it asserted in vain."""

    def __init__(
        self,
        source: Callable[[], Source],
        *,
        delay_s: Callable[[], float],
        killed: Callable[[], Collection[str]],
    ) -> None:
        """``killed``: the services that a fault ended meanwhile, whose spans may be lost."""
        self._source_of = source
        self._delay_s = delay_s
        self.killed = killed
        self.within_s = WITHIN_S
        self._waiting: Waiting | None = None

    @property
    def source(self) -> Source:
        """Where the spans come from; raises TraceBackendError where that is not known."""
        return self._source_of()

    @property
    def wait(self) -> Waiting:
        """How the test waits, the same for all that it asserts."""
        if self._waiting is None:
            source = self.source
            self._waiting = Waiting(
                read=source.trace,
                sent=lambda: source.context.requests,
                delay_s=self._delay_s(),
                within_s=self.within_s,
            )
        return self._waiting

    def count_error(
        self, trace: Trace, wanted: Selector, found: Sequence[Span], n: int
    ) -> TraceAssertionError:
        """Return the error of so many spans as were found, where there should be ``n``."""
        what = f"{len(found)} spans {wanted.text!r}, not {n}"
        marks = {span.span_id: "counted" for span in found}
        return self.error(trace, what, marks=marks, nearest=[] if found else [wanted])

    def error(
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
        """Return the error, with the trace as a tree.

        ``marks`` says something beside a span by its id, ``missing`` what is not below it. What is
        most like the selectors ``nearest`` is marked, ``apart`` is shown below the tree.
        """
        marks = marks or {}
        for wanted in nearest:
            todo = todo or self._silence(trace, wanted)
            near = wanted.nearest(trace.spans)
            if near is not None and near.span_id not in marks:
                marks[near.span_id] = f"nearest to {wanted.text!r}"
        source = self.source
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
        why = self.source.silent.get(wanted.who)
        if why is None or anything.among(trace.spans):
            return ""
        return f"service {wanted.who} has no spans of its own: {why}; and no span says it calls it"
