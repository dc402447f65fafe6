"""The trace of the test that runs: each test begins one, and its requests carry it, as W3C has it.

https://www.w3.org/TR/trace-context/ : the header ``traceparent`` names the trace and the span from
which a request comes. That span is the test's own, so that all that the services do for a test
hangs below it. Only in a run with traces is there any.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

TRACEPARENT_HEADER = "traceparent"


@dataclass
class TraceContext:
    """The trace of one test: the ids of OpenTelemetry, in lower-case hexadecimal digits."""

    trace_id: str
    """32 digits."""
    span_id: str
    """16 digits: the span of the test itself."""
    requests: int = 0
    """How many requests have taken it with them."""

    @property
    def traceparent(self) -> str:
        """The value of the header for a request; the last part says that it is to be recorded."""
        return f"00-{self.trace_id}-{self.span_id}-01"


# One test at a time runs in a process, as with baggage.
_current: TraceContext | None = None


def begin() -> TraceContext:
    """Begin the trace of a test, from now on that of all requests."""
    global _current
    # Of the system: a test may have seeded Python's own random numbers.
    _current = TraceContext(os.urandom(16).hex(), os.urandom(8).hex())
    return _current


def end() -> None:
    """The test is over: requests carry no trace from now on."""
    global _current
    _current = None


def traceparent_header() -> str:
    """Return the header's value for a request that is about to be sent; "" outside of a trace."""
    if _current is None:
        return ""
    _current.requests += 1
    return _current.traceparent


def trace_headers(baggage: str = "") -> dict[str, str]:
    """Return the headers that make a request the current test's: ``baggage``, ``traceparent``.

    The clients of the fixture ``stack`` send them by themselves; any other client needs them. In a
    run without traces there is no ``traceparent``.

    Args:
        baggage: What the request has in this header already: it is kept.

    Example:

        requests.get(url, headers=nomock.trace_headers())
    """
    from nomock.baggage import BAGGAGE_HEADER, baggage_header

    headers = {BAGGAGE_HEADER: baggage_header(baggage), TRACEPARENT_HEADER: traceparent_header()}
    return {name: value for name, value in headers.items() if value}
