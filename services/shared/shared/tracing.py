"""Traces by OpenTelemetry, where a backend is named: else nothing of it is loaded.

`OTEL_EXPORTER_OTLP_ENDPOINT` switches it on (docker-compose.traces.yml); all other settings are
OpenTelemetry's own variables, too.
"""

import os
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

from shared.errors import Unavailable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ON = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
# A stop waits no longer for a backend that is away.
EXPORT_S = 2

if ON:
    from importlib.metadata import entry_points

    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.dependencies import DependencyConflictError
    from opentelemetry.instrumentation.utils import suppress_instrumentation
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    _provider = TracerProvider()
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_S)))
    trace.set_tracer_provider(_provider)
    # Those that the requirements of this service name: httpx, psycopg, redis. A package may have
    # another one for a library that this service has not.
    for _found in entry_points(group="opentelemetry_instrumentor"):
        with suppress(DependencyConflictError):
            _found.load()().instrument(raise_exception_on_conflict=True)
    _tracer = trace.get_tracer("shared.tracing")
    _propagator = TraceContextTextMapPropagator()


class Traced:
    """ASGI middleware: a span of kind SERVER for each request; a stop loses none of them.

    uvicorn ends by the signal that stopped it, so that nothing which Python does at its end is
    done: what is left to send goes before the server is told that it may end.
    """

    def __init__(self, app: Any, routes: Any = ()) -> None:
        # `app` is where FastAPI looks whether somebody traces already; else it does so itself.
        self.app = self.untraced = app
        self.routes = routes
        if ON:
            from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

            self.app = OpenTelemetryMiddleware(
                app,
                excluded_urls="/health$",
                default_span_details=self._details,
                exclude_spans=["receive", "send"],
            )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def flushing(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                flush()
            await send(message)

        if scope["type"] == "lifespan":
            await self.untraced(scope, receive, flushing)
        else:
            await self.app(scope, receive, send)

    def _details(self, scope: Message) -> tuple[str, dict[str, str]]:
        """Return the name of a request's span and its attributes: by its route, not its path."""
        method = scope.get("method", "")
        for route in self.routes:
            # 0 is Starlette's Match.NONE: a route with another method counts.
            if route.matches(scope)[0].value and (path := getattr(route, "path", "")):
                return f"{method} {path}", {"http.route": path}
        return method, {}


@contextmanager
def send(destination: str) -> Iterator[str]:
    """Queue a message within this block; what is given goes with it, "" where nobody traces."""
    if not ON:
        yield ""
        return
    attributes = {
        "messaging.system": "postgresql",
        "messaging.destination.name": destination,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
    }
    name, kind = f"send {destination}", trace.SpanKind.PRODUCER
    with _tracer.start_as_current_span(name, kind=kind, attributes=attributes):
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        yield carrier.get("traceparent", "")


@contextmanager
def process(destination: str, operation: str, traceparent: str, message_id: int) -> Iterator[None]:
    """Process a message within this block, in the trace of whoever sent it.

    Its span has the sender's as its parent, so that both are one trace, and a link to it, which is
    how OpenTelemetry says that one of them waited in a queue.
    """
    if not ON:
        yield
        return
    parent = _propagator.extract({"traceparent": traceparent})
    sender = trace.get_current_span(parent).get_span_context()
    attributes = {
        "messaging.system": "postgresql",
        "messaging.destination.name": destination,
        "messaging.operation.name": operation,
        "messaging.operation.type": "process",
        "messaging.message.id": str(message_id),
    }
    with _tracer.start_as_current_span(
        f"{operation} {destination}",
        context=parent,
        kind=trace.SpanKind.CONSUMER,
        attributes=attributes,
        links=[trace.Link(sender)] if sender.is_valid else [],
    ):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Make no spans of what is done in this block: nobody has asked for it."""
    if not ON:
        yield
        return
    with suppress_instrumentation():
        yield


def failed(error: Unavailable) -> None:
    """Say in the span of the request that is being served what it was refused for."""
    if ON:
        span = trace.get_current_span()
        span.record_exception(error)
        span.set_status(trace.StatusCode.ERROR, str(error))


def ids() -> dict[str, str]:
    """Return trace_id and span_id of what is being done, as OpenTelemetry has them in logs."""
    if not ON:
        return {}
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


def flush() -> None:
    """Send all spans that have ended; nothing is traced any more."""
    if ON:
        _provider.shutdown()
