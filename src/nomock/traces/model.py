"""Spans and traces in OpenTelemetry's own words: resource, scope, kind, status, attributes.

https://opentelemetry.io/docs/specs/otel/trace/api/ ; read from OTLP as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nomock.baggage import run_of, test_of

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
_CAPTURED_BAGGAGE = "http.request.header.baggage"


@dataclass(frozen=True)
class Link:
    """A span of any trace that another one belongs to without being below it."""

    trace_id: str
    span_id: str


@dataclass(frozen=True)
class Event:
    """Something that happened at one moment of a span, such as an exception."""

    name: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """A span that has ended. Ids are in lower-case hexadecimal digits, times are of its service."""

    trace_id: str
    """32 digits."""
    span_id: str
    """16 digits."""
    parent_id: str
    """The id of the span above it; "" for the root of a trace."""
    name: str
    """What it is called, such as `POST /orders`."""
    kind: str = "INTERNAL"
    """INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER."""
    resource: Mapping[str, Any] = field(default_factory=dict)
    """What made it; ``service.name`` is its service."""
    scope: str = ""
    """The instrumentation that made it."""
    start_ns: int = 0
    """Nanoseconds since the epoch."""
    end_ns: int = 0
    """Nanoseconds since the epoch."""
    status: str = "UNSET"
    """UNSET, OK or ERROR."""
    status_message: str = ""
    """Why it is an ERROR."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What is known of it, by the names of OpenTelemetry's semantic conventions."""
    links: tuple[Link, ...] = ()
    """The spans that it belongs to without being below them: `trace_id` and `span_id` of each."""
    events: tuple[Event, ...] = ()
    """What happened in it: `name` and `attributes` of each."""

    @property
    def service(self) -> str:
        """The value of ``service.name``."""
        return str(self.resource.get("service.name", ""))

    @property
    def duration_ms(self) -> float:
        """How long it took."""
        return (self.end_ns - self.start_ns) / 1e6

    @property
    def exceptions(self) -> list[Event]:
        """The exceptions that were recorded in it."""
        return [event for event in self.events if event.name == "exception"]

    @property
    def test(self) -> str | None:
        """The test in whose name its request came; None where that is not known.

        By the header ``baggage``, where the service's instrumentation captures it.
        """
        return test_of(self._baggage)

    @property
    def run(self) -> str | None:
        """The run that this test is of, likewise."""
        return run_of(self._baggage)

    @property
    def _baggage(self) -> str:
        captured = self.attributes.get(_CAPTURED_BAGGAGE, ())
        return ",".join([captured] if isinstance(captured, str) else map(str, captured))

    def has(self, key: str, value: object) -> bool:
        """Tell whether an attribute has a value; one of an exception counts as the span's."""
        found = [self.attributes, self.resource, *(e.attributes for e in self.exceptions)]
        return any(key in each and _same(each[key], value) for each in found)

    def value(self, *keys: str) -> str:
        """Return the first of some attributes that it has, as text; "" where it has none."""
        return next((str(self.attributes[key]) for key in keys if key in self.attributes), "")


@dataclass(frozen=True)
class Trace:
    """Spans of one trace, and of those that are linked to it, in the order of their beginnings."""

    trace_id: str
    spans: tuple[Span, ...]
    known: frozenset[str] = frozenset()
    """Ids of spans that are there without having been sent: the test's own."""

    @cached_property
    def by_id(self) -> Mapping[str, Span]:
        """The spans by their ids."""
        return {span.span_id: span for span in self.spans}

    @cached_property
    def _below(self) -> Mapping[str, list[Span]]:
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            for parent_id in self._above(span):
                found.setdefault(parent_id, []).append(span)
        return found

    def _above(self, span: Span) -> set[str]:
        """Return what a span is below: its parent, and what it is linked to."""
        return {span.parent_id, *(link.span_id for link in span.links)} - {""}

    def children(self, span_id: str) -> list[Span]:
        """Return the spans whose parent a span is."""
        return [span for span in self.spans if span.parent_id == span_id]

    def descendants(self, span: Span) -> Iterator[Span]:
        """Yield all that is below a span: its children, what is linked to it, and theirs."""
        seen, left = {span.span_id}, [span.span_id]
        while left:
            for child in self._below.get(left.pop(), ()):
                if child.span_id not in seen:
                    seen.add(child.span_id)
                    left.append(child.span_id)
                    yield child

    def consumers(self, producer: Span) -> list[Span]:
        """Return the spans of kind CONSUMER that are linked to one of kind PRODUCER."""
        link = Link(producer.trace_id, producer.span_id)
        return [span for span in self.spans if span.kind == "CONSUMER" and link in span.links]

    @property
    def tops(self) -> list[Span]:
        """The spans that are below no other one that has arrived."""
        return [span for span in self.spans if span.parent_id not in self.by_id]

    @property
    def orphans(self) -> list[Span]:
        """The spans whose parent is not known: it has not ended, or was never sent."""
        known = self.known | set(self.by_id)
        return [span for span in self.spans if span.parent_id and span.parent_id not in known]


def trace_of(trace_id: str, spans: Iterable[Span], known: frozenset[str] = frozenset()) -> Trace:
    """Return a trace of its spans, in their order, each once."""
    once = {span.span_id: span for span in spans}
    ordered = sorted(once.values(), key=lambda span: (span.start_ns, span.span_id))
    return Trace(trace_id, tuple(ordered), known)


def spans_of(otlp: Sequence[Mapping[str, Any]]) -> list[Span]:
    """Return the spans of OTLP's ``resourceSpans``, as JSON has them."""
    return [
        _span(span, _attributes(of_resource.get("resource") or {}), of_scope.get("scope") or {})
        for of_resource in otlp
        for of_scope in of_resource.get("scopeSpans") or ()
        for span in of_scope.get("spans") or ()
    ]


def _span(span: Mapping[str, Any], resource: Mapping[str, Any], scope: Mapping[str, Any]) -> Span:
    status = span.get("status") or {}
    return Span(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId") or "",
        name=span.get("name", ""),
        kind=_word(span.get("kind", 0), KINDS, "SPAN_KIND_"),
        resource=resource,
        scope=scope.get("name", ""),
        start_ns=int(span.get("startTimeUnixNano", 0)),
        end_ns=int(span.get("endTimeUnixNano", 0)),
        status=_word(status.get("code", 0), STATUSES, "STATUS_CODE_"),
        status_message=status.get("message", ""),
        attributes=_attributes(span),
        links=tuple(Link(link["traceId"], link["spanId"]) for link in span.get("links") or ()),
        events=tuple(
            Event(event.get("name", ""), _attributes(event)) for event in span.get("events") or ()
        ),
    )


def _word(value: int | str, words: Sequence[str], prefix: str) -> str:
    """Return an enum's word: JSON may have its number or its name."""
    return words[value] if isinstance(value, int) else value.removeprefix(prefix)


def _attributes(owner: Mapping[str, Any]) -> dict[str, Any]:
    return {pair["key"]: _value(pair.get("value") or {}) for pair in owner.get("attributes") or ()}


def _value(value: Mapping[str, Any]) -> Any:
    for kind, found in value.items():
        match kind:
            case "intValue":  # JSON has 64 bits as text
                return int(found)
            case "arrayValue":
                return [_value(each) for each in found.get("values") or ()]
            case "kvlistValue":
                return _attributes({"attributes": found.get("values")})
            case _:
                return found
    return None


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, list) and not isinstance(wanted, list):
        return any(_same(each, wanted) for each in found)
    return found == wanted or str(found) == str(wanted)
