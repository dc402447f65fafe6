"""The overlay that adds traces to services that know nothing of them, as a person writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nomock.adapters.jaeger import OTLP_PORT, READ_PORT
from nomock.coverage.overlay import Finding, OverlayKind, joined, scalar, signed
from nomock.project import Project, ServiceConfig
from nomock.traces.overlay.packages import COMPILED_FOLDER, FOLDER, OLDEST

TRACES_OVERLAY = OverlayKind("NOMOCK_TRACER", "traces_overlay", "nomock overlay --traces", "traces")
_BACKEND = "jaeger"

_HEAD = """\
# Traces of services that know nothing of them: docker compose {files} up
# OpenTelemetry's own instrumentations are mounted beside each Python service, and what they send is
# kept in memory by the backend below. Nothing is built into an image.
#
# Written by `nomock overlay --traces`, which asked each service for its Python. It writes this file
# again only while nobody else changed it, which it sees by the sum of the lines below.
"""

_COMMON = """\

x-tracer: &tracer
  PYTHONPATH: /nomock-spy
  NOMOCK_TRACER: /nomock-tracer
  OTEL_EXPORTER_OTLP_ENDPOINT: http://{backend}:{port}
  # Milliseconds until what has ended is sent. A test waits for twice as long.
  OTEL_BSP_SCHEDULE_DELAY: "50"
  # So that a trace that was lost on the way still names its test.
  OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: baggage
  OTEL_SEMCONV_STABILITY_OPT_IN: http,database

x-tracer-mounts: &tracer-mounts
  - type: bind
    source: ./{spy}
    target: /nomock-spy
    read_only: true
    bind: {{create_host_path: false}}
  - type: bind
    source: ./{packages}
    target: /nomock-tracer/site-packages
    read_only: true
    bind: {{create_host_path: false}}
  - type: bind
    source: ./{compiled}
    target: /nomock-tracer/compiled
    bind: {{create_host_path: false}}

services:
"""

_JAEGER = """\
  {name}:
    image: ${{JAEGER_IMAGE:-jaegertracing/jaeger:2.13.0}}
    command: ["--config=env:JAEGER_CONFIG"]
    environment:
      # No batches: what is sent can be read at once.
      JAEGER_CONFIG: |
        service:
          extensions: [jaeger_storage, jaeger_query, healthcheckv2]
          pipelines:
            traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
          telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
        extensions:
          jaeger_query: {{storage: {{traces: memory}}, enable_tracing: false}}
          jaeger_storage: {{backends: {{memory: {{memory: {{max_traces: 100000}}}}}}}}
          healthcheckv2: {{use_v2: true, http: {{endpoint: "0.0.0.0:13133"}}}}
        receivers:
          otlp: {{protocols: {{http: {{endpoint: "0.0.0.0:{otlp}"}}}}}}
        exporters:
          jaeger_storage_exporter: {{trace_storage: memory}}
    # {read}: its pages and its API; {otlp}: OTLP, for the spans of the tests themselves.
    ports: ["127.0.0.1::{read}", "127.0.0.1::{otlp}"]
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:13133/status"]
      interval: 30s
      start_period: 30s
      start_interval: 500ms
"""

_SERVICE = """\
  {name}:
    environment: {{<<: *tracer, OTEL_SERVICE_NAME: {name}{more}}}
    volumes: *tracer-mounts
"""


def can_be_traced(finding: Finding, project: Project) -> Finding:
    """Return what was found of a service, with the reason why it cannot be traced if it cannot."""
    python, service = finding.python, project.services[finding.service]
    if finding.reason or python is None:
        return finding
    if python.version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return replace(finding, reason=f"it runs {python}, and OpenTelemetry needs {oldest}")
    mode = str(service.config.get("network_mode") or "")
    if mode and not mode.startswith("service:"):
        return replace(finding, reason=f"it has no network of the project's: network_mode {mode}")
    return finding


def overlay_text(
    findings: Iterable[Finding], project: Project, files: Sequence[str], spy: str
) -> str:
    """Return the overlay of the services that can be traced; ``files``: theirs, and its own.

    ``spy`` is the folder to mount that starts the tracer. A backend is added unless a service of
    the project publishes the ports of one.
    """
    traced = [finding for finding in findings if finding.python and not finding.reason]
    backend = backend_of(project)
    name = backend or next(
        free for free in (_BACKEND, "nomock-jaeger") if free not in project.services
    )
    common = _COMMON.format(
        backend=name, port=OTLP_PORT, spy=spy, packages=FOLDER, compiled=COMPILED_FOLDER
    )
    added = "" if backend else _jaeger(name, {f.service for f in traced}, project)
    body = common + added + "".join(map(_service, traced))
    return signed(_HEAD.format(files=" ".join(f"-f {name}" for name in files)), body)


def backend_of(project: Project) -> str | None:
    """Return the service that is a backend already: it publishes Jaeger's ports."""
    return next(
        (
            name
            for name, service in project.services.items()
            if service.publishes(READ_PORT) and service.publishes(OTLP_PORT)
        ),
        None,
    )


def _jaeger(name: str, traced: set[str], project: Project) -> str:
    text = _JAEGER.format(name=name, read=READ_PORT, otlp=OTLP_PORT)
    # Its ports cannot be published on internal networks alone.
    networks = {"default"}.union(*(_networks(project.services[each], project) for each in traced))
    if networks != {"default"}:
        text += f"    networks: [{', '.join(map(scalar, sorted(networks)))}]\n"
    return text


def _networks(service: ServiceConfig, project: Project) -> set[str]:
    mode = str(service.config.get("network_mode") or "")
    shared = project.services.get(mode.removeprefix("service:"))
    if mode and shared:
        return _networks(shared, project)
    return set(service.config.get("networks") or ())


def _service(finding: Finding) -> str:
    path = joined(finding.own_path)
    more = f", PYTHONPATH: {scalar(path)}" if path else ""
    return _SERVICE.format(name=scalar(finding.service), more=more)
