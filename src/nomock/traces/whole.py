"""What is asserted on a trace as a whole, by the trace itself and by an expectation on a span."""

from __future__ import annotations

from collections.abc import Collection

from nomock.traces.model import Span, Trace
from nomock.traces.observed import ObservedTrace
from nomock.traces.tree import label


def assert_unbroken(observed: ObservedTrace) -> None:
    """Raise TraceAssertionError unless the test is the only root, and every parent is known."""
    __tracebackhide__ = True
    trace = observed.wait.settled()
    killed = set(observed.killed())
    orphans = [span for span in trace.orphans if not _is_excused(span, killed)]
    roots = [s for s in trace.spans if not s.parent_id and s.trace_id == trace.trace_id]
    lost = observed.source.lost()
    if not (orphans or roots or lost):
        return
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
    raise observed.error(trace, what, marks=marks, apart=lost, todo=todo)


def assert_linked(observed: ObservedTrace) -> None:
    """Raise TraceAssertionError unless each message was taken out of its queue in this trace."""
    __tracebackhide__ = True
    trace = observed.wait.until(lambda trace: bool(_producers(trace)) and not _untaken(trace))
    untaken = _untaken(trace)
    loose = [s for s in trace.spans if s.kind == "CONSUMER" and not s.links]
    if not _producers(trace):
        raise observed.error(trace, "no span of kind PRODUCER: nothing was queued")
    if untaken or loose:
        marks = {span.span_id: "no consumer is linked to it" for span in untaken}
        marks |= {span.span_id: "linked to no producer" for span in loose}
        apart = observed.source.lost()
        names = ", ".join(map(label, [*untaken, *loose]))
        raise observed.error(trace, f"the queue lost the trace: {names}", marks=marks, apart=apart)


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
