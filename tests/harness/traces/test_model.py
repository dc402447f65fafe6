"""Spans read from OTLP's JSON, and what a trace knows of them."""

from __future__ import annotations

from typing import Any

from nomock.baggage import with_members
from nomock.traces import Link, Span, Trace, spans_of
from nomock.traces.model import trace_of


def value(given: object) -> dict[str, Any]:
    match given:
        case bool():
            return {"boolValue": given}
        case int():
            return {"intValue": str(given)}
        case float():
            return {"doubleValue": given}
        case list():
            return {"arrayValue": {"values": [value(each) for each in given]}}
        case dict():
            return {"kvlistValue": {"values": attributes(**given)}}
    return {"stringValue": given}


def attributes(**given: object) -> list[dict[str, Any]]:
    return [{"key": k.replace("__", "."), "value": value(v)} for k, v in given.items()]


def test_a_span_should_have_all_that_was_sent_when_it_is_read() -> None:
    raised = {"name": "exception", "attributes": attributes(exception__type="ValueError")}
    sent = {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "parentSpanId": "ef" * 8,
        "name": "POST /orders",
        "kind": 2,
        "startTimeUnixNano": "1500000000",
        "endTimeUnixNano": "1502500000",
        "attributes": attributes(text="t", yes=True, many=[1, 2], real=0.5, nested={"a": 1}),
        "links": [{"traceId": "12" * 16, "spanId": "34" * 8}],
        "events": [raised, {"name": "else"}],
        "status": {"code": 2, "message": "no"},
    }
    resource = {"attributes": attributes(service__name="shop")}
    scoped = {"scope": {"name": "asgi"}, "spans": [sent]}
    (span,) = spans_of([{"resource": resource, "scopeSpans": [scoped]}])

    assert (span.service, span.scope, span.kind, span.status) == ("shop", "asgi", "SERVER", "ERROR")
    assert (span.parent_id, span.status_message, span.duration_ms) == ("ef" * 8, "no", 2.5)
    assert span.links == (Link("12" * 16, "34" * 8),)
    assert [event.name for event in span.exceptions] == ["exception"]
    assert span.attributes == {
        "text": "t",
        "yes": True,
        "many": [1, 2],
        "real": 0.5,
        "nested": {"a": 1},
    }
    assert span.has("exception.type", "ValueError")
    assert span.has("many", 2) and span.has("many", "1") and not span.has("many", 3)
    assert not span.has("absent", None)


def test_a_span_should_have_the_defaults_when_nothing_else_was_sent() -> None:
    sent = {"traceId": "1", "spanId": "2", "kind": "SPAN_KIND_CLIENT"}
    spans = spans_of([{}, {"scopeSpans": [{}, {"spans": [sent]}]}])
    assert spans == [Span("1", "2", "", "", "CLIENT")]
    assert spans[0].service == "" and spans[0].status == "UNSET"


def test_a_span_should_name_its_test_when_the_baggage_was_captured() -> None:
    key = "http.request.header.baggage"
    for captured in (with_members("", "t.py::test_a"), [with_members("user=1", "t.py::test_a")]):
        assert Span("1", "2", "", "x", attributes={key: captured}).test == "t.py::test_a"
    assert Span("1", "2", "", "x", attributes={key: ["user=1"]}).test is None
    assert Span("1", "2", "", "x").test is None


def test_a_trace_should_know_what_is_below_a_span_when_a_queue_is_between() -> None:
    served = Span("1", "a", "test", "serve", "SERVER")
    queued = Span("1", "b", "a", "send", "PRODUCER")
    taken = Span("9", "c", "", "process", "CONSUMER", links=(Link("1", "b"),))
    row = Span("9", "d", "c", "INSERT", "CLIENT")
    apart = Span("1", "e", "test", "serve", "SERVER")
    trace = trace_of("1", [served, queued, taken, row, apart, served], frozenset({"test"}))

    assert len(trace.spans) == 5
    assert {span.span_id for span in trace.descendants(served)} == {"b", "c", "d"}
    assert trace.consumers(queued) == [taken]
    assert trace.orphans == []
    assert Trace("1", (row,)).orphans == [row]


def test_a_trace_should_have_an_end_when_spans_are_below_one_another() -> None:
    one, other = Span("1", "a", "b", "one"), Span("1", "b", "a", "other")
    assert list(trace_of("1", [one, other]).descendants(one)) == [other]
