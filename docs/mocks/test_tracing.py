"""Traces, with OpenTelemetry's exporter in memory."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared import logs, tracing
from shared.errors import Unavailable

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Exporter(InMemorySpanExporter):
    def shutdown(self) -> None:
        """Keep the spans, so that they can be looked at."""

    def export(self, spans: Any) -> SpanExportResult:
        return super().export(spans)


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def on(monkeypatch: Any, mocker: Any, exporter: Exporter) -> ModuleType:
    """`shared.tracing` anew, switched on."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://backend:4318")
    mocker.patch(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter.OTLPSpanExporter",
        return_value=exporter,
    )
    mocker.patch("importlib.metadata.entry_points", return_value=[])
    providers: list[Any] = []
    mocker.patch.object(trace, "set_tracer_provider", side_effect=providers.append)
    mocker.patch.object(
        trace, "get_tracer", side_effect=lambda name, *_, **__: providers[0].get_tracer(name)
    )
    spec = importlib.util.spec_from_file_location("traced", Path(str(tracing.__file__)))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ended(module: ModuleType, exporter: Exporter) -> dict[str, Any]:
    module.flush()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_instrumentations_should_be_loaded_when_tracing_is_on(
    monkeypatch: Any, mocker: Any, exporter: Exporter
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://backend:4318")
    mocker.patch.object(trace, "set_tracer_provider")
    found = [MagicMock(), MagicMock()]
    found[0].name, found[1].name = "httpx", "psycopg"
    mocker.patch("importlib.metadata.entry_points", return_value=found)
    spec = importlib.util.spec_from_file_location("traced", Path(str(tracing.__file__)))
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    for each in found:
        instrument = each.load.return_value.return_value.instrument
        instrument.assert_called_once_with(raise_exception_on_conflict=True)


def test_message_should_carry_the_span_when_it_is_sent(on: ModuleType, exporter: Exporter) -> None:
    with on.send("jobs") as traceparent:
        assert traceparent.startswith("00-")
    span = ended(on, exporter)["send jobs"]
    assert span.kind is trace.SpanKind.PRODUCER
    assert traceparent.split("-")[2] == trace.format_span_id(span.context.span_id)
    assert span.attributes["messaging.destination.name"] == "jobs"


def test_job_should_be_in_the_trace_of_its_sender_when_it_is_processed(
    on: ModuleType, exporter: Exporter
) -> None:
    with on.process("jobs", "provision", PARENT, 7):
        pass
    span = ended(on, exporter)["provision jobs"]
    assert span.kind is trace.SpanKind.CONSUMER
    assert trace.format_trace_id(span.context.trace_id) == PARENT.split("-")[1]
    assert trace.format_span_id(span.parent.span_id) == PARENT.split("-")[2]
    assert [trace.format_span_id(link.context.span_id) for link in span.links] == [
        PARENT.split("-")[2]
    ]
    assert span.attributes["messaging.message.id"] == "7"


def test_job_should_have_no_link_when_nobody_has_sent_a_span(
    on: ModuleType, exporter: Exporter
) -> None:
    with on.process("jobs", "provision", "", 7):
        assert set(on.ids()) == {"trace_id", "span_id"}
    span = ended(on, exporter)["provision jobs"]
    assert (list(span.links), span.parent) == ([], None)


def test_cause_should_stand_in_the_span_when_a_request_is_refused(
    on: ModuleType, exporter: Exporter
) -> None:
    with on.process("jobs", "provision", PARENT, 7):
        on.failed(Unavailable("redis", "refused"))
    span = ended(on, exporter)["provision jobs"]
    assert span.status.status_code is trace.StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


async def test_spans_should_be_sent_when_the_server_stops(
    on: ModuleType, exporter: Exporter, mocker: Any
) -> None:
    flushed = mocker.patch.object(on, "flush")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.shutdown.complete"})

    traced = on.Traced(app)
    await traced({"type": "lifespan"}, AsyncMock(), AsyncMock())
    flushed.assert_called_once()
    inner = mocker.patch.object(traced, "app", new=AsyncMock())
    await traced({"type": "http"}, AsyncMock(), AsyncMock())
    inner.assert_awaited_once()


def test_span_should_be_named_by_its_route_when_there_is_one(on: ModuleType) -> None:
    from starlette.routing import Route

    async def endpoint(_: Any) -> None: ...

    traced = on.Traced(AsyncMock(), [Route("/x/{id}", endpoint, methods=["GET"])])
    scope = {"type": "http", "method": "GET", "path": "/x/7", "root_path": ""}
    assert traced._details(scope) == ("GET /x/{id}", {"http.route": "/x/{id}"})
    assert traced._details({**scope, "path": "/y"}) == ("GET", {})


def test_nothing_should_be_traced_when_it_is_not_asked_for(on: ModuleType) -> None:
    with on.quiet():
        assert on.ids() == {}
    with tracing.send("jobs") as traceparent:
        assert traceparent == ""
    with tracing.process("jobs", "provision", PARENT, 7), tracing.quiet():
        assert tracing.ids() == {}
    tracing.failed(Unavailable("x", "y"))
    tracing.flush()


def test_log_lines_should_name_trace_and_span_when_they_are_of_a_request(mocker: Any) -> None:
    mocker.patch("shared.logs.tracing.ids", return_value={"trace_id": "t", "span_id": "s"})
    record = logging.LogRecord("auth", logging.INFO, "f", 1, "said", (), None)
    told = json.loads(logs.JsonFormatter("auth").format(record))
    assert (told["trace_id"], told["span_id"]) == ("t", "s")
