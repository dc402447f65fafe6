"""Traces of tests: read from the backend, asserted on, and printed as trees."""

from nomock.traces.current import CurrentTrace
from nomock.traces.expectation import Expectation
from nomock.traces.model import Event, Link, Span, Trace, spans_of
from nomock.traces.selector import Selector
from nomock.traces.source import Source

__all__ = [
    "CurrentTrace",
    "Event",
    "Expectation",
    "Link",
    "Selector",
    "Source",
    "Span",
    "Trace",
    "spans_of",
]
