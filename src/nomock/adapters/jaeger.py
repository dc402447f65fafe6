"""Jaeger, the backend of traces: OTLP in, OTLP out, as JSON over HTTP.

Reading is its API 3, which answers in OpenTelemetry's own format:
https://www.jaegertracing.io/docs/2.13/architecture/apis/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from nomock.adapters import http
from nomock.errors import TraceBackendError

READ_PORT = 16686
OTLP_PORT = 4318
# Of memory; a machine on which all is built at once takes its time.
_TIMEOUT_S = 10.0
_MOST_TRACES = 1000
_NOT_FOUND = 404
# raw_traces: as they were sent. Jaeger would add its own remarks, and set clocks right.

ResourceSpans = Mapping[str, Any]
"""OTLP's own message: a resource, and below it the spans of each scope.
https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto"""


class Jaeger:
    """A Jaeger at one address."""

    def __init__(self, url: str, service: str) -> None:
        """``url``: of its port 16686; ``service``: its name in the compose file."""
        self._url = url
        self._service = service

    def trace(self, trace_id: str) -> list[ResourceSpans]:
        """Return the spans of a trace that have arrived, none where it knows of no such trace.

        Raises TraceBackendError where it does not answer.
        """
        return self._read(f"/api/v3/traces/{trace_id}?raw_traces=true")

    def traces(self, service: str, *, since_s: float, until_s: float) -> list[ResourceSpans]:
        """Return all spans of the traces in which a service began a span in this window.

        ``service`` is the value of ``service.name``, the times are seconds since the epoch. Raises
        TraceBackendError where it does not answer.
        """
        asked = {
            "query.service_name": service,
            "query.start_time_min": _time(since_s),
            "query.start_time_max": _time(until_s),
            "query.num_traces": _MOST_TRACES,
            "query.raw_traces": "true",
        }
        return self._read(f"/api/v3/traces?{urlencode(asked)}")

    def _read(self, path: str) -> list[ResourceSpans]:
        status, text = self._ask("GET", path)
        if status == _NOT_FOUND:
            return []
        try:
            if status != 200:
                raise ValueError(f"status {status}")
            found = json.loads(text)["result"].get("resourceSpans") or []
            return list(found)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise TraceBackendError(
                "its answer is no trace",
                where=f"service {self._service}",
                seen=f"GET {path}: {error}\n{text[:200]}",
                todo=f"is it a Jaeger 2? nomock logs {self._service}",
            ) from error

    def _ask(self, method: str, path: str) -> tuple[int, str]:
        try:
            return http.ask(method, f"{self._url}{path}", timeout_s=_TIMEOUT_S)
        except OSError as error:  # TimeoutError, too
            raise TraceBackendError(
                "the backend of traces does not answer",
                where=f"service {self._service}",
                seen=f"{method} {path}: {error}",
                todo=f"start it: nomock up; why it ended: nomock logs {self._service}",
            ) from error


def send(url: str, spans: Sequence[ResourceSpans]) -> bool:
    """Send spans by OTLP, ``url`` is of port 4318; return whether they were taken."""
    try:
        status, _ = http.ask(
            "POST", f"{url}/v1/traces", {"resourceSpans": list(spans)}, timeout_s=_TIMEOUT_S
        )
    except OSError:
        return False
    return status == 200


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
