"""Where the spans of a test come from: its own trace, what is linked to it, and what was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time

from nomock.adapters.jaeger import Jaeger
from nomock.baggage import RUN, short
from nomock.moments import Moment
from nomock.tracecontext import TraceContext
from nomock.traces.model import Span, Trace, spans_of, trace_of

# What begins when somebody asks a service for something. Another root is a service's own work.
_ASKED = {"SERVER", "CONSUMER"}


@dataclass(frozen=True)
class Source:
    """What the backend knows of one test, as far as it has arrived."""

    jaeger: Callable[[], Jaeger]
    context: TraceContext
    test: str
    """The node id of the test."""
    began: Moment
    services: Sequence[str]
    """The names of the traced services, as their spans have them."""
    probed: Iterable[str] = ()
    """The paths that healthchecks and readiness probes ask for: nobody's test."""
    silent: Mapping[str, str] = field(default_factory=dict)
    """The services of which there are no spans, with the reason."""

    def trace(self) -> Trace:
        """Return the test's trace, and the spans of other traces that are linked to it.

        Raises TraceBackendError.
        """
        jaeger, trace_id = self.jaeger(), self.context.trace_id
        found = spans_of(jaeger.trace(trace_id))
        trace = trace_of(trace_id, found, frozenset({self.context.span_id}))
        if all(trace.consumers(span) for span in found if span.kind == "PRODUCER"):
            return trace
        # A consumer may begin a trace of its own that is linked to this one.
        around = self._around(jaeger)
        ids = {s.trace_id for s in around if any(link.trace_id == trace_id for link in s.links)}
        linked = [span for span in around if span.trace_id in ids]
        return trace_of(trace_id, [*found, *linked], trace.known)

    def lost(self) -> list[Span]:
        """Return the roots of other traces that services began for this test, it seems.

        For another test is what says so in its baggage; a root that is linked to this test's trace
        is not lost. Raises TraceBackendError.
        """
        return [
            span
            for span in self._around(self.jaeger())
            if not span.parent_id
            and span.kind in _ASKED
            and span.trace_id != self.context.trace_id
            and not any(link.trace_id == self.context.trace_id for link in span.links)
            and span.test in (None, short(self.test))
            and span.run in (None, RUN)
            and span.start_ns >= self.began.earliest_s * 1e9
            and span.value("url.path", "http.target").partition("?")[0] not in self.probed
        ]

    def _around(self, jaeger: Jaeger) -> list[Span]:
        """Return all spans of the traces that services took part in while the test ran."""
        since_s, until_s = self.began.earliest_s, time() + 1
        found = [
            span
            for service in self.services
            for span in spans_of(jaeger.traces(service, since_s=since_s, until_s=until_s))
        ]
        return list({(span.trace_id, span.span_id): span for span in found}.values())
