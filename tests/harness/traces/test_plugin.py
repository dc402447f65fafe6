"""`pytest --traces` on a tiny stack: a real Jaeger, and a service that sends what it is told to."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from places import APPS, ROOT
from tiny import IMAGE, Tiny, check, idle, server

# What the overlay of the reference stack has, for one service.
EXPORTS = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://jaeger:4318",
    "OTEL_SERVICE_NAME": "app",
    "OTEL_BSP_SCHEDULE_DELAY": "50",
}
BEGIN = """
    import os, signal
    import pytest
    from nomock import NomockError, trace_headers

    def send(stack, *spans, **headers):
        assert stack["app"].http.post("/", json=list(spans), headers=headers).status_code == 200
"""


@pytest.fixture
def traced(tiny: Tiny, jaeger_image: str) -> Tiny:
    """A project with an overlay for traces."""
    shutil.copy(APPS / "traced_app" / "app.py", tiny.path)
    app = server(
        command=["python3", "-u", "/srv/app.py"],
        volumes=["./app.py:/srv/app.py:ro"],
        healthcheck=check("exec 3<>/dev/tcp/127.0.0.1/8000"),
    )
    tiny.compose(app=app, other=idle())
    exports = f"  app:\n    environment: {json.dumps(EXPORTS)}\n"
    tiny.write("docker-compose.traces.yml", jaeger_of_the_reference_stack() + exports)
    with (tiny.path / ".env").open("a") as env:
        env.write(f"JAEGER_IMAGE={jaeger_image}\n")
    return tiny


def jaeger_of_the_reference_stack() -> str:
    """Return the beginning of an overlay: the backend, as the reference stack has it."""
    text = (ROOT / "docker-compose.traces.yml").read_text()
    return "services:\n" + text[text.index("  jaeger:\n") : text.index("  auth:\n")]


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """Return the outcome of each test of a verbose run."""
    found = re.findall(r"::test_(\S+) (PASSED|FAILED|ERROR|SKIPPED)", result.stdout.str())
    return dict(found)


def failure(result: pytest.RunResult, test: str) -> str:
    """Return the error that a test failed with, without the ids that differ."""
    text = result.stdout.str()
    section = text[re.search(rf"_+ test_{test} _+", text).end() :]  # type: ignore[union-attr]
    lines = re.search(r"(?:^E .*\n)+", section, re.MULTILINE)
    assert lines is not None, section
    told = re.sub(r"(?m)^E {7}(?:nomock\.errors\.)?", "", lines[0])
    return re.sub(r"\d+\.\d ms", "1.0 ms", re.sub(r"\b[0-9a-f]{32}\b", "TRACE", told))


def test_a_test_should_see_what_its_requests_did_when_the_spans_come_late(traced: Tiny) -> None:
    traced.tests(
        BEGIN
        + """
    SERVED = {"id": "a" * 16, "name": "POST /", "kind": 2}
    CALL = {"id": "b" * 16, "parent": "a" * 16, "name": "INSERT", "kind": 3, "after_s": 0.3}

    def test_late(trace, stack):
        send(stack, SERVED, CALL)
        trace.expect("app POST /").calls("app INSERT")
        trace.unbroken().no_errors().count("app", 2).within(10_000)

    def test_parent_late(trace, stack):
        send(stack, CALL | {"after_s": 0}, SERVED | {"after_s": 0.6})
        trace.unbroken().count("app", 2)

    def test_missing(trace, stack):
        trace._observed.within_s = 0.5
        send(stack, SERVED, CALL | {"after_s": 0})
        trace.expect("app POST /").calls("app INSERT", "app INSERTS", "redis GET")

    def test_nothing(trace, stack):
        trace._observed.within_s = 0.5
        trace.expect("app POST /")

    def test_broken(trace, stack):
        trace._observed.within_s = 0.5
        send(stack, SERVED, CALL | {"parent": "f" * 16, "after_s": 0})
        trace.unbroken()

    def test_lost(trace, stack):
        send(stack, SERVED, SERVED | {"trace": os.urandom(16).hex(), "parent": "", "name": "GET /"})
        trace.unbroken()

    def test_lost_by_another(trace, stack):
        key = "http.request.header.baggage"
        lost = {"trace": os.urandom(16).hex(), "parent": "", "attributes": [{
            "key": key, "value": {"stringValue": "nomock.test=other.py%3A%3Atest_x"}
        }]}
        # The same test, which another run has at the same time.
        this = "test_tiny.py%3A%3Atest_lost_by_another"
        of_run = lost | {"id": "9" * 16, "trace": os.urandom(16).hex(), "attributes": [{
            "key": key, "value": {"stringValue": f"nomock.test={this},nomock.run=other"}
        }]}
        own_work = {"trace": os.urandom(16).hex(), "parent": "", "kind": 3}
        send(stack, SERVED, SERVED | lost, SERVED | of_run, CALL | own_work)
        trace.unbroken()

    def test_error(trace, stack):
        send(stack, SERVED | {"status": {"code": 2, "message": "no"}})
        trace.no_errors()

    def test_too_many(trace, stack):
        send(stack, SERVED, SERVED | {"id": "c" * 16, "after_s": 0.05})
        trace.count("app POST /", 1)

    def test_linked(trace, stack):
        link = [{"traceId": trace.id, "spanId": "b" * 16}]
        queue = {"id": "b" * 16, "parent": "a" * 16, "name": "send jobs", "kind": 4}
        taken = {"id": "c" * 16, "trace": os.urandom(16).hex(), "parent": "", "kind": 5}
        work = {"name": "process jobs", "links": link, "after_s": 0.2}
        send(stack, SERVED, queue, taken | work)
        trace.linked().unbroken()
        trace.expect("app POST /").calls("app process jobs")

    def test_not_linked(trace, stack):
        trace._observed.within_s = 0.5
        queue = {"id": "b" * 16, "parent": "a" * 16, "name": "send jobs", "kind": 4}
        send(stack, SERVED, queue)
        trace.linked()

    def test_no_requests(trace):
        trace.unbroken().no_errors().count("app", 0)

    def test_other_client(trace, stack):
        import httpx

        reply = httpx.get(stack["app"].url, headers=trace_headers())
        assert reply.json()["traceparent"].split("-")[1] == trace.id
        reply = httpx.get(stack["app"].url, headers=trace.headers)
        assert reply.json()["traceparent"].split("-")[1] == trace.id
    """
    )
    result = traced.run("--traces", "-v")
    assert outcomes(result) == {
        "late": "PASSED",
        "parent_late": "PASSED",
        "missing": "FAILED",
        "nothing": "FAILED",
        "broken": "FAILED",
        "lost": "FAILED",
        "lost_by_another": "PASSED",
        "error": "FAILED",
        "too_many": "FAILED",
        "linked": "PASSED",
        "not_linked": "FAILED",
        "no_requests": "PASSED",
        "other_client": "PASSED",
    }
    assert failure(result, "missing") == (
        "TraceAssertionError: trace: 'app POST /' does not call 'app INSERTS', 'redis GET'\n"
        "  test_tiny.py::test_missing, trace TRACE\n"
        "  └─ app POST / server, 1.0 ms  <-- here\n"
        "     ├─ app INSERT client, 1.0 ms  <-- nearest to 'app INSERTS'\n"
        "     ├─ app INSERTS  <-- missing\n"
        "     └─ redis GET  <-- missing\n"
    )
    assert failure(result, "nothing") == (
        "TraceAssertionError: trace: no span 'app POST /' within 0.5 s\n"
        "  test_tiny.py::test_nothing, trace TRACE\n"
        "  └─ app POST /  <-- missing\n"
        "  no span has arrived; its test sent 0 requests\n"
        "-> what there may be to see: nomock docs traces\n"
    )
    assert failure(result, "broken") == (
        "TraceAssertionError: trace: the trace is broken: app INSERT: its parent "
        "ffffffffffffffff is not known\n"
        "  test_tiny.py::test_broken, trace TRACE\n"
        "  ├─ app POST / server, 1.0 ms\n"
        "  └─ app INSERT client, 1.0 ms  <-- its parent ffffffffffffffff is not known\n"
        "-> a parent that is not known has not ended, or was not sent; a service that begins a "
        "trace of its own got no traceparent: nomock docs traces\n"
    )
    assert "app GET / began a trace of its own, TRACE\n" in failure(result, "lost")
    assert "\n  app GET /, server, trace TRACE  <-- not in it\n" in failure(result, "lost")
    assert "there are errors: app POST /\n" in failure(result, "error")
    assert "2 spans 'app POST /', not 1\n" in failure(result, "too_many")
    assert "the queue lost the trace: app send jobs\n" in failure(result, "not_linked")


@pytest.mark.slow
def test_a_service_should_be_named_when_it_can_have_no_spans(traced: Tiny) -> None:
    silent = {
        "sampled": {**EXPORTS, "OTEL_TRACES_SAMPLER": "parentbased_always_off"},
        "disabled": {**EXPORTS, "OTEL_SDK_DISABLED": "True"},
        "elsewhere": {**EXPORTS, "OTEL_TRACES_EXPORTER": "none"},
        "plain": {},
    }
    with (traced.path / "docker-compose.traces.yml").open("a") as overlay:
        for name, environment in silent.items():
            service = idle(environment=environment)
            overlay.write(f"  {name}: {json.dumps(service)}\n")
    traced.tests(
        BEGIN
        + """
    @pytest.mark.parametrize("who", ["sampled", "disabled", "elsewhere", "plain", "app", "called"])
    def test_of(trace, stack, who):
        trace._observed.within_s = 0.5
        peer = [{"key": "peer.service", "value": {"stringValue": "plain"}}]
        send(stack, {"kind": 3, "name": "GET", "attributes": peer} if who == "called" else {})
        trace.expect(f"{who.replace('called', 'plain')} POST /")
    """
    )
    text = traced.run("--traces").stdout.str()
    # Of each failure itself; where CI is set, pytest's summary says them once more.
    told = re.findall(r"^E +-> service (.*)", text, re.MULTILINE)
    end = "; and no span says it calls it"
    assert told == [
        f"sampled has no spans of its own: OTEL_TRACES_SAMPLER is parentbased_always_off{end}",
        f"disabled has no spans of its own: OTEL_SDK_DISABLED is true{end}",
        f"elsewhere has no spans of its own: OTEL_TRACES_EXPORTER is none{end}",
        "plain has no spans of its own: OTEL_EXPORTER_OTLP_ENDPOINT is not in its environment"
        + end,
    ]


@pytest.mark.slow
def test_a_test_should_have_a_trace_when_its_name_is_odd(traced: Tiny) -> None:
    traced.tests(
        BEGIN
        + r"""
    ODD = ["a/b[c]", "x" * 300, "\udc80 \u2028 \x00", "'\"%"]

    @pytest.mark.traced
    @pytest.mark.parametrize("name", ODD)
    def test_odd(trace, stack, name):
        send(stack, {"name": name.encode(errors="replace").decode(), "kind": 2})
        trace.expect("app").unbroken()
    """
    )
    traced.run("--traces").assert_outcomes(passed=4)


@pytest.mark.slow
def test_every_test_should_be_checked_when_it_is_marked_or_the_settings_say_all(
    traced: Tiny,
) -> None:
    traced.tests(
        BEGIN
        + """
    LOST = {"name": "GET /", "kind": 2, "parent": "f" * 16}

    @pytest.fixture(autouse=True)
    def impatient(monkeypatch):
        monkeypatch.setattr("nomock.traces.observed.WITHIN_S", 0.5)

    @pytest.mark.traced
    def test_marked(stack):
        send(stack, LOST)

    def test_not_marked(stack):
        send(stack, LOST)

    @pytest.mark.traced(False)
    def test_marked_not(stack):
        send(stack, LOST)

    @pytest.mark.traced
    def test_marked_red(stack):
        send(stack, LOST)
        assert False

    @pytest.fixture
    def stream():
        streams = []
        yield streams.append
        for end in streams:
            end()

    @pytest.mark.traced
    def test_open(stack, stream):
        # The span above it ends with the fixture.
        send(stack, LOST | {"name": "stream"})
        stream(lambda: send(stack, {"name": "GET /stream", "kind": 2, "id": "f" * 16}))

    def test_without_requests(stack):
        pass

    def test_without_stack():
        pass
    """
    )

    def errors_of(result: pytest.RunResult) -> list[str]:
        found = re.findall(r"_ ERROR at teardown of test_(\S+) _", result.stdout.str())
        result.assert_outcomes(passed=6, failed=1, errors=len(found))
        return found

    result = traced.run("--nomock-traces", "--strict-markers")
    assert errors_of(result) == ["marked"]
    assert "trace is broken: app GET /: its parent ffffffffffffffff is not known" in (
        result.stdout.str()
    )
    (evidence,) = (traced.path / ".nomock/evidence").glob("*/*test_marked-*/evidence.json")
    assert [span["name"] for span in json.loads(evidence.read_text())["trace"]] == ["GET /"]
    told = json.loads(traced.nomock("diagnose", "--json").stdout.str())["failures"]
    (cause,) = [f["causes"][0] for f in told if f["test"].endswith("test_marked")]
    assert (cause["kind"], cause["text"].partition(": its parent")[0]) == (
        "trace",
        "the trace is broken: app GET /",
    )
    assert any("GET /" in line and "<-- " in line for line in cause["proof"]), cause

    traced.write("pyproject.toml", "[tool.nomock]\ntraced = 'all'\n")
    assert errors_of(traced.run("--traces")) == ["marked", "not_marked"]

    traced.write("pyproject.toml", "[tool.nomock]\ntraced = 'most'\n")
    result = traced.run("--traces")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: pyproject: traced cannot be 'most'", "  it is one of marked, all"]
    )


@pytest.mark.slow
def test_lost_spans_should_be_no_failure_when_a_fault_killed_their_service(traced: Tiny) -> None:
    traced.tests(
        BEGIN
        + """
    CALL = {"id": "b" * 16, "name": "INSERT", "kind": 3, "parent": "f" * 16}
    QUICK = pytest.fixture(lambda trace: setattr(trace._observed, "within_s", 0.5), autouse=True)

    def test_its_own(trace, stack, faults):
        send(stack, CALL)
        with faults.kill("app"):
            pass
        trace.unbroken()

    def test_its_caller(trace, stack, faults):
        send(stack, CALL | {"kind": 2, "service": "else"})
        with faults.kill("app"):
            pass
        trace.unbroken()

    def test_of_another(trace, stack, faults):
        send(stack, CALL)
        with faults.kill("other"):
            pass
        trace.unbroken()
    """
    )
    assert outcomes(traced.run("--traces", "-v")) == {
        "its_own": "PASSED",
        "its_caller": "PASSED",
        "of_another": "FAILED",
    }


@pytest.mark.slow
def test_the_reference_services_should_send_all_or_load_nothing_when_they_stop_or_do_not_trace(
    traced: Tiny,
) -> None:
    traced.write(
        "answers.py",
        """
from shared.tracing import Traced
from starlette.applications import Starlette

app = Traced(Starlette())
""",
    )
    # As process 1 uvicorn outlives its own signal, and Python would send them at its end.
    service = {
        "build": {
            "context": str(ROOT / "services/auth"),
            "args": {"PYTHON_IMAGE": IMAGE},
            "additional_contexts": {"shared": str(ROOT / "services/shared")},
        },
        "command": ["uvicorn", "answers:app", "--host=0.0.0.0"],
        "init": True,
        "volumes": ["./answers.py:/app/answers.py:ro"],
        "ports": ["127.0.0.1::8000"],
    }
    traced.compose(app=service, other=idle())
    exports = {"environment": {**EXPORTS, "OTEL_BSP_SCHEDULE_DELAY": "3600000"}}
    overlay = f"{jaeger_of_the_reference_stack()}  app: {json.dumps(exports)}\n"
    traced.write("docker-compose.traces.yml", overlay)
    traced.tests(
        BEGIN
        + """
    def test_stop(trace, stack):
        for _ in range(5):
            assert stack["app"].http.get("/").status_code == 404
        stack["app"].stop()
        assert len(trace.expect("app GET").spans) == 5

    def test_off(stack):
        loaded = "[name for name in sys.modules if 'opentelemetry' in name]"
        program = f"import sys, answers, shared.logs, shared.database; print({loaded})"
        assert stack["app"].exec("python3", "-c", program) == "[]\\n"
    """
    )
    traced.run("--traces", "test_tiny.py::test_stop").assert_outcomes(passed=1)
    traced.run("test_tiny.py::test_off").assert_outcomes(passed=1)


@pytest.mark.slow
def test_each_worker_should_read_its_own_backend_when_it_has_a_stack_of_its_own(
    traced: Tiny,
) -> None:
    traced.tests(
        BEGIN
        + """
    @pytest.mark.traced
    @pytest.mark.parametrize("number", range(4))
    def test_one(trace, stack, number, worker_id):
        send(stack, {"name": "POST /", "kind": 2})
        trace.expect("app POST /")
        with open(f"seen-{worker_id}-{number}", "w") as seen:
            seen.write(f"{stack.name} {stack['jaeger'].port(16686)}")
    """
    )
    traced.run("--traces", "--lanes=stack", "-n2").assert_outcomes(passed=4)
    seen = {path.name[:8]: path.read_text() for path in traced.path.glob("seen-*")}
    assert len(set(seen.values())) == len(seen) == 2


def test_the_span_of_a_test_should_be_in_the_backend_when_the_test_is_over(traced: Tiny) -> None:
    traced.tests(
        BEGIN
        + """
    import httpx
    seen = {}

    def test_one(trace, stack, faults):
        with faults.pause("other"):
            send(stack, {"name": "POST /", "kind": 2})
        trace.expect("app POST /")
        seen["id"] = trace.id

    def test_two(stack):
        url = f"http://{stack['jaeger'].address(16686)}/api/v3/traces/{seen['id']}"
        text = httpx.get(url).text
        assert '"name":"test_tiny.py::test_one"' in text
        assert '"key":"nomock.faults","value":{"stringValue":"pause other"}' in text
    """
    )
    traced.run("--traces").assert_outcomes(passed=2)


def test_tests_should_say_what_they_need_when_there_are_no_traces(traced: Tiny) -> None:
    traced.tests(
        BEGIN
        + """
    def test_asserts(trace):
        trace.unbroken()

    @pytest.mark.traced
    def test_other(stack):
        send(stack)
        assert "traceparent" not in trace_headers()
    """
    )
    result = traced.run("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*: it asserts on traces: pytest --traces"])
    assert "jaeger" not in traced.states()


def test_only_tests_that_assert_on_traces_should_be_errors_when_the_backend_is_away(
    traced: Tiny,
) -> None:
    traced.tests(
        BEGIN
        + """
    def test_first(stack, request):
        send(stack)
        stack["jaeger"].stop()

    def test_asserts(trace):
        trace.unbroken()

    def test_other(stack):
        send(stack)
    """
    )
    result = traced.run("--traces", "-v")
    assert outcomes(result) == {"first": "PASSED", "asserts": "ERROR", "other": "PASSED"}
    text = traced.plain(result.stdout.str())
    assert (
        "service jaeger: the backend of traces does not run\n"
        "  port 16686 is not open: the container is exited\n"
        "-> stack['jaeger'].start(), or: nomock logs jaeger\n"
    ) in text


def test_only_tests_that_assert_on_traces_should_be_errors_when_the_stack_has_no_backend(
    traced: Tiny,
) -> None:
    traced.write(
        "docker-compose.traces.yml", f"services: {{app: {{environment: {json.dumps(EXPORTS)}}}}}\n"
    )
    traced.tests(
        BEGIN
        + """
    def test_asserts(trace):
        trace.unbroken()

    def test_other(stack):
        send(stack)
    """
    )
    result = traced.run("--traces", "-v")
    assert outcomes(result) == {"asserts": "ERROR", "other": "PASSED"}
    assert (
        "stack NAME: there is no backend of traces in the stack\n"
        "  no service publishes port 16686, Jaeger's\n"
        "-> nomock docs traces shows a compose file that adds one\n"
    ) in traced.plain(result.stdout.str())


def test_a_run_should_not_begin_when_there_is_no_overlay(traced: Tiny) -> None:
    (traced.path / "docker-compose.traces.yml").unlink()
    traced.tests("def test_one(stack): pass\n")
    result = traced.run("--traces")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert traced.plain(result.stderr.str()).strip() == (
        "ERROR: DIR/docker-compose.traces.yml: the overlay that adds traces is not there\n"
        "-> nomock overlay --traces writes it; or name it: traces_overlay in [tool.nomock]"
    )


def test_a_test_should_leave_its_spans_as_evidence_when_it_fails(traced: Tiny) -> None:
    traced.tests(
        BEGIN
        + """
    SERVED = {"id": "a" * 16, "name": "POST /", "kind": 2, "status": {"code": 2}}
    TEXT = "INSERT INTO users (password) VALUES ('Canary-4f9a1c07e2')" + " " * 3000
    TOLD = [{"key": "db.statement", "value": {"stringValue": TEXT}}]
    CALL = {"id": "b" * 16, "parent": "a" * 16, "name": "INSERT", "kind": 3, "after_s": 0.02}
    CALL["attributes"] = TOLD

    def test_fails(stack):
        send(stack, SERVED, CALL)
        assert False
    """
    )
    traced.run("--traces").assert_outcomes(failed=1)
    (path,) = traced.path.glob(".nomock/evidence/*/*/evidence.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    spans = {span["name"]: span for span in found["trace"]}
    assert set(spans) == {"POST /", "INSERT"}
    served, call = spans["POST /"], spans["INSERT"]
    assert call["parent_id"] == served["span_id"]
    assert (served["service"], served["kind"], served["status"]) == ("app", "SERVER", "ERROR")
    assert 0 < served["at_s"] <= served["until_s"] < found["test"]["took_s"] + 1
    assert served["statement"] == ""
    assert call["statement"].rstrip() == "INSERT INTO users (password) VALUES ('[redacted]')"
    assert len(call["statement"]) < 2100
    (exchange,) = found["exchanges"]
    ids = dict(exchange["headers"])["traceparent"].split("-")
    assert {span["trace_id"] for span in found["trace"]} == {ids[1]}
