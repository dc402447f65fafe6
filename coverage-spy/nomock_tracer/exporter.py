"""Spans as OTLP in JSON over HTTP, by the standard library alone.

OpenTelemetry's own exporters need protobuf and requests, in versions that a service may have
others of: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext

_WITHIN_S = 5.0


class OtlpJsonExporter(SpanExporter):
    """Sends to ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``, or below ``OTEL_EXPORTER_OTLP_ENDPOINT``."""

    def __init__(self) -> None:
        base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
        own = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        self._url = own or f"{base.rstrip('/')}/v1/traces"
        # The backend stands in the service's own network, never behind the proxy of its requests.
        self._opener = build_opener(ProxyHandler({}))
        self._is_said = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, once; say on stderr the first time that they could not be sent."""
        body = json.dumps({"resourceSpans": list(map(_of_one, spans))}).encode()
        request = Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=_WITHIN_S):
                return SpanExportResult.SUCCESS
        except OSError as error:
            if not self._is_said:
                self._is_said = True
                print(f"nomock-tracer: spans are lost: {error}", file=sys.stderr, flush=True)
            return SpanExportResult.FAILURE


def _of_one(span: ReadableSpan) -> dict[str, Any]:
    scope = span.instrumentation_scope
    named = {"name": scope.name, "version": scope.version or ""} if scope else {}
    resource = {"attributes": _attributes(span.resource.attributes)}
    return {"resource": resource, "scopeSpans": [{"scope": named, "spans": [_span(span)]}]}


def _span(span: ReadableSpan) -> dict[str, Any]:
    return {
        **_ids(span.get_span_context()),
        "parentSpanId": _hex(span.parent.span_id, 16) if span.parent else "",
        "name": span.name,
        "kind": span.kind.value + 1,  # 0 is "unspecified" in the protocol
        "startTimeUnixNano": str(span.start_time or 0),
        "endTimeUnixNano": str(span.end_time or 0),
        "attributes": _attributes(span.attributes or {}),
        "events": [
            {
                "timeUnixNano": str(event.timestamp),
                "name": event.name,
                "attributes": _attributes(event.attributes or {}),
            }
            for event in span.events
        ],
        "links": [
            {**_ids(link.context), "attributes": _attributes(link.attributes or {})}
            for link in span.links
        ],
        "status": {
            "code": span.status.status_code.value,
            "message": span.status.description or "",
        },
    }


def _ids(context: SpanContext | None) -> dict[str, Any]:
    if context is None:
        return {}
    return {"traceId": _hex(context.trace_id, 32), "spanId": _hex(context.span_id, 16)}


def _hex(number: int, digits: int) -> str:
    return format(number, f"0{digits}x")


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return {"arrayValue": {"values": list(map(_value, value))}}
    return {"stringValue": str(value)}
