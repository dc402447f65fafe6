"""The stack with traces on: its overlay, its backend, and what its services say of their export."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from time import time_ns

from nomock.adapters import jaeger
from nomock.adapters.jaeger import Jaeger
from nomock.baggage import RUN
from nomock.config import Settings
from nomock.coverage.overlay import provide_spy
from nomock.errors import NomockError, NotReadyError, TraceBackendError
from nomock.images import provide_images_of
from nomock.moments import Moment
from nomock.project import Project, ServiceConfig
from nomock.stack import Stack
from nomock.tracecontext import TraceContext
from nomock.traces.overlay import TRACES_OVERLAY, provide_packages

_USUAL_DELAY_MS = 5000.0
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SILENCERS = {
    "OTEL_SDK_DISABLED": {"true"},
    "OTEL_TRACES_EXPORTER": {"none"},
    "OTEL_TRACES_SAMPLER": {"always_off", "parentbased_always_off"},
}
_PATH = re.compile(r"(?:https?://[^/\s]+|^\w*:?\d*)(/[^\s\"'?]*)")
# What was asked of the engine that ends no process: spans are late then, and not lost.
_HARMLESS = {"start", "pause", "unpause"}


def with_traces(settings: Settings, progress: Callable[[str], None]) -> Settings:
    """Return the settings with the overlay that adds traces; its images are settled.

    Raises ConfigError where there is no overlay, BuildError where an image cannot be had.
    """
    overlay = TRACES_OVERLAY.found(settings.root / settings.traces_overlay)
    provide_images_of(settings.traces_overlay, settings.root, progress)
    if not TRACES_OVERLAY.is_foreign(overlay.read_text(encoding="utf-8", errors="replace")):
        provide_packages(settings.root)
        provide_spy(settings.root)
    return replace(settings, files=(*settings.files, overlay))


def backend(stack: Stack) -> Callable[[], Jaeger]:
    """Return what gives the backend of a stack, at the address that it has then.

    Raises TraceBackendError where the stack has none.
    """
    name = _publisher(stack.project, jaeger.READ_PORT)
    if name is None:
        raise TraceBackendError(
            "there is no backend of traces in the stack",
            where=f"stack {stack.name}",
            seen=f"no service publishes port {jaeger.READ_PORT}, Jaeger's",
            todo="nomock docs traces shows a compose file that adds one",
        )

    def found() -> Jaeger:
        try:
            return Jaeger(f"http://{stack[name].address(jaeger.READ_PORT)}", name)
        except NotReadyError as error:
            raise TraceBackendError(
                "the backend of traces does not run",
                where=error.where,
                seen=error.what,
                todo=error.todo,
            ) from error

    return found


def traced_services(project: Project) -> dict[str, str]:
    """Return the services that export spans: the name in their spans -> that in the compose file.

    As far as their environment says so.
    """
    return {_name_of(service): service.name for service in _exporting(project)}


def silent_services(project: Project) -> dict[str, str]:
    """Return the services of which there are no spans, by what their environment says, and why."""
    exporting = {service.name for service in _exporting(project)}
    silent = {}
    for name, service in project.services.items():
        said = {key: str(service.environment.get(key) or "").lower() for key in _SILENCERS}
        by = [f"{key} is {said[key]}" for key in _SILENCERS if said[key] in _SILENCERS[key]]
        if name not in exporting:
            by = [f"{_ENDPOINTS[0]} is not in its environment"]
        if by:
            silent[name] = by[0]
    return silent


def delay_s(project: Project) -> float:
    """Return after how long the slowest service sends a span that has ended."""
    delays = [_delay_ms(service) for service in _exporting(project)]
    return max(delays, default=_USUAL_DELAY_MS) / 1000


def probed(stack: Stack) -> frozenset[str]:
    """Return the paths that healthchecks and readiness probes ask for: no test does so."""
    texts = [probe for probe in stack.settings.probes.values() if probe.startswith("http")]
    for service in stack.project.services.values():
        asked = (service.config.get("healthcheck") or {}).get("test") or ()
        texts += [asked] if isinstance(asked, str) else list(map(str, asked))
    return frozenset(path for text in texts for path in _PATH.findall(text))


def killed(stack: Stack, since: Moment) -> Collection[str]:
    """Return the services that this process ended since, by the names in their spans."""
    ended = {
        act.container_id
        for act in stack.target.acts
        if act.at_s >= since.monotonic_s and act.what not in _HARMLESS
    }
    services = {c.service for c in stack.containers() if c.id in ended} if ended else set()
    return {seen for seen, name in traced_services(stack.project).items() if name in services}


def send_test(
    stack: Stack, context: TraceContext, test: str, began: Moment, faults: Collection[str]
) -> None:
    """Send the span of a test, the root of its trace, so that the backend's pages show it.

    No assertion needs it: it is known without. So nothing is said where the backend is away.
    """
    name = _publisher(stack.project, jaeger.OTLP_PORT)
    if name is None or not context.requests:
        return
    said = {"test.case.name": test, "nomock.run": RUN}
    if faults:
        said["nomock.faults"] = ", ".join(sorted(faults))
    span = {
        "traceId": context.trace_id,
        "spanId": context.span_id,
        "name": test,
        "kind": 1,  # INTERNAL
        "startTimeUnixNano": str(int(began.earliest_s * 1e9)),
        "endTimeUnixNano": str(time_ns()),
        "attributes": _attributes(said),
    }
    scoped = {"scope": {"name": "nomock"}, "spans": [span]}
    resource = {"attributes": _attributes({"service.name": "pytest"})}
    try:
        url = f"http://{stack[name].address(jaeger.OTLP_PORT)}"
    except NomockError:
        return
    jaeger.send(url, [{"resource": resource, "scopeSpans": [scoped]}])


def _attributes(said: dict[str, str]) -> list[dict[str, object]]:
    # The name of a test may hold what has no UTF-8.
    told = {key: value.encode(errors="replace").decode() for key, value in said.items()}
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]


def _publisher(project: Project, port: int) -> str | None:
    """Return the service that publishes a port; None where none does."""
    return next((n for n, service in project.services.items() if service.publishes(port)), None)


def _exporting(project: Project) -> Iterator[ServiceConfig]:
    for service in project.services.values():
        if any(service.environment.get(name) for name in _ENDPOINTS):
            yield service


def _name_of(service: ServiceConfig) -> str:
    """Return the name that a service's spans have: OTEL_SERVICE_NAME goes before the attribute."""
    told = service.environment.get("OTEL_RESOURCE_ATTRIBUTES") or ""
    pairs = dict(pair.split("=", 1) for pair in told.split(",") if "=" in pair)
    named = service.environment.get("OTEL_SERVICE_NAME") or pairs.get("service.name")
    return named or service.name


def _delay_ms(service: ServiceConfig) -> float:
    try:
        return float(service.environment.get("OTEL_BSP_SCHEDULE_DELAY") or _USUAL_DELAY_MS)
    except ValueError:
        return _USUAL_DELAY_MS
