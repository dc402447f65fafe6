"""Traces of services that know nothing of them: OpenTelemetry mounted beside apps of others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from places import ROOT
from tiny import NO_PYTHON_IMAGE, Service, Tiny, check, idle, server

from nomock.coverage.overlay import Finding, Python
from nomock.traces.overlay import can_be_traced, overlay_text

FLASK = """
import httpx
from flask import Flask

app = Flask(__name__)


@app.get("/front/<name>")
def front(name):
    return httpx.get(f"http://back:8000/back/{name}").text
"""

DJANGO = """
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=[])
urlpatterns = [path("back/<str:name>", lambda request, name: HttpResponse("hello " + name))]
application = get_wsgi_application()
"""

TESTS = """
def test_both(stack, trace):
    assert stack["front"].http.get("/front/a").text == "hello a"
    trace.expect("front GET /front/<name>").calls("back GET")
    trace.unbroken()
    trace.no_errors()

def test_one(stack, trace):
    assert stack["back"].http.get("/back/b").text == "hello b"
    trace.expect("back GET").calls("front GET")
"""

PYTHON = Python((3, 13, 5), "cpython", "glibc", "x86_64")


@pytest.fixture
def shop(tiny: Tiny, server_image: Callable[[str], str], jaeger_image: str) -> Tiny:
    """A Flask app that calls a Django app, on one server that forks and one that does not."""
    tiny.write(".env", f"{(tiny.path / '.env').read_text()}JAEGER_IMAGE={jaeger_image}\n")
    tiny.write("app/front.py", FLASK)
    tiny.write("app/back.py", DJANGO)

    def service(*command: str) -> Service:
        return {
            "image": server_image("3.13"),
            "command": list(command),
            "working_dir": "/code",
            "volumes": ["./app:/code:ro"],
            "ports": ["127.0.0.1::8000"],
            "stop_signal": "SIGKILL",
            "healthcheck": check(
                "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 8000))'"
            ),
        }

    tiny.compose(
        front=service("flask", "--app", "front", "run", "--host", "0.0.0.0", "--port", "8000"),
        back=service("gunicorn", "--bind", "0.0.0.0:8000", "--workers", "2", "back:application"),
        store={"image": NO_PYTHON_IMAGE, "stop_signal": "SIGKILL"},
    )
    tiny.tests(TESTS)
    return tiny


@pytest.mark.slow
def test_a_trace_should_go_through_apps_when_they_know_nothing_of_it(shop: Tiny) -> None:
    result = shop.nomock("overlay", "--traces")
    assert result.outlines == [
        "service  Python          traced by",
        "back     CPython 3.13.5  OpenTelemetry",
        "front    CPython 3.13.5  OpenTelemetry",
        "store    -               none           no Python in it",
        "wrote docker-compose.traces.yml",
        "made .nomock/spy/, this nomock's spy",
    ]
    result = shop.run("--traces")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E*'back GET' does not call 'front GET'", "E*test_one, trace *", "E*back GET*  <-- here"]
    )
    # Without the option they are as before.
    shop.write("test_it.py", "def test_none(stack): print(stack['front'].exec('env'))")
    shop.run("-s").stdout.no_fnmatch_line("*OTEL*")


@pytest.mark.slow
def test_lines_should_be_covered_when_traces_are_on_too(shop: Tiny) -> None:
    for options in ([], ["--traces"]):
        assert shop.nomock("overlay", *options).ret == 0
    result = shop.run("--traces", "--sidecar-coverage", "-k", "both")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["total        2     14       14  100.0      1"])


@pytest.mark.slow
def test_a_process_should_load_nothing_when_it_imports_nothing_that_is_known(shop: Tiny) -> None:
    assert shop.nomock("overlay", "--traces").ret == 0
    loads = "import sys, {}; print(sorted(n for n in sys.modules if n == 'opentelemetry'))"
    shop.tests(f"""
        def said(stack, modules):
            return stack["front"].exec("python3", "-c", {loads!r}.format(modules)).split()[-1]

        def test_processes(stack):
            assert said(stack, "urllib.request") == "[]"
            assert said(stack, "flask") == "['opentelemetry']"

        def test_own_packages_count(stack):
            code = "import flask, packaging; print(packaging.__file__)"
            assert "/opt/venv/" in stack["front"].exec("python3", "-c", code)
    """)
    shop.run("--traces").assert_outcomes(passed=2)


@pytest.mark.slow
def test_a_service_should_run_and_say_so_once_when_the_packages_are_broken(shop: Tiny) -> None:
    assert shop.nomock("overlay", "--traces").ret == 0
    (shop.path / ".nomock/tracer/site-packages/opentelemetry/sdk/trace/__init__.py").write_text(
        "1 / 0"
    )
    shop.tests("""
        def test_it(stack):
            assert stack["front"].http.get("/front/a").text == "hello a"
            said = stack["front"].logs()
            assert said.count("nomock-tracer: not tracing: ZeroDivisionError") == 1, said
    """)
    shop.run("--traces").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("service", "python", "reason"),
    [
        ({}, PYTHON, ""),
        ({"network_mode": "service:other"}, PYTHON, ""),
        (
            {"network_mode": "host"},
            PYTHON,
            "it has no network of the project's: network_mode host",
        ),
        (
            {},
            Python((3, 9, 2), "cpython", "glibc", "x86_64"),
            "it runs CPython 3.9.2, and OpenTelemetry needs 3.10",
        ),
    ],
)
def test_a_service_should_be_left_out_with_the_reason_when_it_cannot_be_traced(
    tiny: Tiny, service: Service, python: Python, reason: str
) -> None:
    tiny.compose(web=server(**service, ports=[]), other=idle())
    found = can_be_traced(Finding("web", python), tiny.stack().project)
    assert found.reason == reason


def test_the_backend_should_be_in_every_network_when_services_are_in_several(tiny: Tiny) -> None:
    tiny.compose_text(f"""
        name: {tiny.name}
        services:
          web: {{image: x, networks: [inside]}}
          beside: {{image: x, network_mode: "service:web"}}
          jaeger: {{image: x}}
        networks:
          inside: {{internal: true}}
    """)
    project = tiny.stack().project
    found = [Finding(name, PYTHON, own_path="/lib") for name in ("web", "beside")]
    text = overlay_text(found, project, ["a.yml", "b.yml"], ".nomock/spy")
    assert "  nomock-jaeger:\n" in text
    assert "networks: [default, inside]" in text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: http://nomock-jaeger:4318" in text
    assert "OTEL_SERVICE_NAME: web, PYTHONPATH: /nomock-spy:/lib" in text.replace('"', "")


def test_the_written_backend_should_be_the_references_when_a_project_has_none(tiny: Tiny) -> None:
    tiny.compose(web=server())
    written = overlay_text([Finding("web", PYTHON)], tiny.stack().project, ["a.yml"], ".nomock/spy")
    reference = (ROOT / "docker-compose.traces.yml").read_text()
    for begin, end in (("  jaeger:\n", "  web:\n"), ("  OTEL_BSP", "\n\n")):
        own, theirs = (text.partition(begin)[2] for text in (written, reference))
        lines = [line for line in own.partition(end)[0].splitlines() if "#" not in line]
        there = theirs.partition("\n\n")[0].splitlines()
        assert len(lines) >= 2
        assert [line for line in lines if line not in there] == []


def test_the_backend_of_the_project_should_be_used_when_it_has_one(tiny: Tiny) -> None:
    tiny.compose(web=server(), all_in_one=server(ports=["127.0.0.1::16686", "127.0.0.1::4318"]))
    project = tiny.stack().project
    text = overlay_text([Finding("web", PYTHON)], project, ["a.yml"], ".nomock/spy")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: http://all_in_one:4318" in text
    assert "jaegertracing" not in text


def test_the_overlay_should_be_refused_with_each_reason_when_nothing_can_be_traced(
    tiny: Tiny,
) -> None:
    tiny.compose(store={"image": NO_PYTHON_IMAGE})
    result = tiny.nomock("overlay", "--traces")
    assert result.ret == 1
    assert result.errlines == [
        "traces of store: cannot be traced without a change of their own",
        "  store: no Python in it",
        "-> change what the reason names, leave the service out (nomock overlay --traces "
        "SERVICE…), or give it OpenTelemetry itself",
    ]


@pytest.mark.slow
def test_a_foreign_file_should_stay_when_it_has_the_name_of_the_overlay(tiny: Tiny) -> None:
    tiny.compose(web=server())
    theirs = tiny.write("docker-compose.traces.yml", "services: {}\n")
    result = tiny.nomock("overlay", "--traces")
    assert result.ret == 1
    assert result.errlines[0].endswith("this file is not nomock's, and stays as it is")
    assert 'traces_overlay = "docker-compose.nomock-traces.yml"' in result.errlines[-1]
    assert theirs.read_text() == "services: {}\n"
