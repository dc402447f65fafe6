"""A trace printed as a tree."""

from __future__ import annotations

from nomock.traces import Event, Link, Span
from nomock.traces.model import trace_of
from nomock.traces.tree import tree

MS = 1_000_000


def span(
    name: str, span_id: str, parent_id: str, kind: str = "SERVER", *, begins_ms: int, **more: object
) -> Span:
    begins, ends = begins_ms * MS, (begins_ms + 2) * MS
    resource = {"service.name": "shop"}
    return Span("1", span_id, parent_id, name, kind, resource, "", begins, ends, **more)  # type: ignore[arg-type]


def test_a_tree_should_show_what_hangs_below_what_when_spans_are_of_all_kinds() -> None:
    row = {"db.system": "postgresql", "db.operation": "SELECT", "db.sql.table": "orders"}
    raised = Event("exception", {"exception.type": "OSError"})
    spans = [
        span("POST", "a", "t", begins_ms=10, attributes={"http.response.status_code": 503}),
        span("SELECT", "b", "a", "CLIENT", begins_ms=11, attributes=row),
        span("SELECT", "c", "a", "CLIENT", begins_ms=12, attributes=row),
        span("send", "d", "a", "PRODUCER", begins_ms=13),
        span("take", "e", "d", "CONSUMER", begins_ms=14, links=(Link("1", "d"),)),
        span("GET", "f", "gone", begins_ms=15, status="ERROR", status_message="no"),
        span("GET", "g", "f", begins_ms=14, events=(raised,)),
    ]
    marks, missing = {"f": "its parent is not known"}, {"d": ["bill send"], "": ["web GET"]}
    assert tree(trace_of("1", spans), "test_a", marks=marks, missing=missing) == (
        "test_a\n"
        "├─ shop POST 503 server, 2.0 ms\n"
        "│  ├─ postgresql SELECT orders client, 2.0 ms (x2)\n"
        "│  └─ shop send producer, 2.0 ms\n"
        "│     ├─ shop take consumer, 2.0 ms linked\n"
        "│     └─ bill send  <-- missing\n"
        "├─ shop GET server, 2.0 ms ERROR no  <-- its parent is not known\n"
        "│  └─ shop GET server, 2.0 ms raised OSError"
        "  <-- begins 1.0 ms before its parent: their clocks differ\n"
        "└─ web GET  <-- missing"
    )


def test_a_tree_should_be_cut_and_keep_what_is_marked_when_it_is_long() -> None:
    spans = [span(f"GET /{n}", str(n), "t", begins_ms=n) for n in range(300)]
    lines = tree(trace_of("1", spans), "test_a", marks={"299": "wrong"}).splitlines()
    assert len(lines) == 82
    assert lines[-2] == "└─ shop GET /299 server, 2.0 ms  <-- wrong"
    assert lines[-1] == "… and 220 lines more: all of them are in the backend's pages"
