"""The likeliest cause of a failure, as `nomock diagnose` says it first."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from covered_project import APP, BUY, SELL, Project
from evidenced import LOGGER, logging_service
from schemas import checked
from tiny import Tiny, check

from nomock.diagnosis import causes_of_run
from nomock.evidence.causes import Known, causes_of

TESTS = """
    import json
    import os
    from pathlib import Path
    from threading import Event

    import pytest

    def state_of(stack, service):
        return next(c for c in stack.containers() if c.service == service)

    def test_writes(stack):
        stack["web"].http.post("/store", json={"name": "TEST order 77"})

    def test_died(stack):
        with pytest.raises(Exception):
            stack["fragile"].http.get("/die")
        assert False

    @pytest.fixture
    def sick(stack):
        stack["sick"].exec("rm", "/srv/well")
        while state_of(stack, "sick").health == "healthy":
            Event().wait(0.02)
        yield
        stack["sick"].exec("touch", "/srv/well")
        while state_of(stack, "sick").health != "healthy":
            Event().wait(0.02)

    def test_unhealthy(sick):
        assert False

    def test_own_fault(stack, faults):
        http = stack["api"].http
        with faults.pause("api", expect_traffic=False):
            http.get("/orders", timeout=0.3)

    def test_unreachable(stack):
        http = stack["api"].http
        stack["api"].stop(timeout_s=0)
        try:
            http.get("/orders")
        finally:
            stack["api"].start()

    def test_too_late(stack):
        stack["web"].http.get("/late?wait=1", timeout=0.2)

    def test_slow(stack):
        reply = stack["web"].http.get("/slow?wait=1.1")
        assert reply.elapsed.total_seconds() < 1

    def test_error(stack):
        assert stack["api"].http.get("/orders?status=503").status_code == 200

    def test_leaked(stack):
        assert stack["web"].http.get("/store").text == "hello"

    def test_flaky(stack):
        seen = Path(".nomock/flaky")
        number = int(seen.read_text()) if seen.exists() else 0
        seen.write_text(str(number + 1))
        assert number == 1

    def test_changed(stack):
        assert Path("code.py").read_text() == "1"

    def test_left_fault(stack):
        left = Path(".nomock/faults", stack.name, "1-left.ndjson")
        left.parent.mkdir(parents=True, exist_ok=True)
        entry = {"on": 1, "kind": "pause", "name": "pause api", "arguments": {}, "state": {}}
        left.write_text(json.dumps({**entry, "test": "t.py::test_other"}) + chr(10))
        assert False

    @pytest.fixture(scope="session", autouse=True)
    def nothing_left(request):
        yield
        for left in Path(".nomock/faults").rglob("1-left.ndjson"):
            left.unlink()
"""

EXPECTED = {
    "test_died": ("died", "service fragile: restarted (exit code 3 at"),
    "test_unhealthy": ("unhealthy", "service sick: turned unhealthy at"),
    "test_own_fault": ("fault", "the test's own fault pause api was on when GET /orders ended"),
    "test_unreachable": ("unreachable", "no answer came: GET /orders ended with Connect"),
    "test_too_late": ("slow", "an answer was too late: GET /late?wait=1 ended with ReadTimeout"),
    "test_slow": ("slow", "a dependency was slow: GET /slow?wait=1.1 was answered 200 after 1."),
    "test_error": (
        "error",
        "GET /orders?status=503 was answered 503; api logged: it broke",
    ),
    "test_leaked": (
        "leaked",
        "data of test_tiny.py::test_writes was there: 'TEST order 77'",
    ),
    "test_flaky": ("flaky", "the test is known to be flaky: with the same files it failed 1 times"),
    "test_changed": ("changed", "something was changed since it was green: code.py changed"),
    "test_left_fault": ("fault", "the fault pause api was on, put there by t.py::test_other"),
}


@pytest.mark.slow
def test_the_first_line_should_be_the_cause_when_tests_fail_for_different_ones(
    tiny: Tiny,
) -> None:
    tiny.write("logger.py", LOGGER)
    well = check("test -e /srv/well", interval="200ms", retries=1)
    tiny.compose(
        web=logging_service("web"),
        api=logging_service("api"),
        fragile={**logging_service("fragile"), "restart": "always"},
        sick={
            **logging_service("sick"),
            "healthcheck": well,
            "command": ["sh", "-c", "touch /srv/well; exec python3 -u /logger.py"],
        },
    )
    tiny.tests(TESTS)
    code = tiny.write("code.py", "1")
    tiny.write(".gitignore", "std*\n")  # what the runs of a test write
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    for words in (["init", "-q"], ["add", "code.py", "docker-compose.yml"], ["commit", "-qm1"]):
        subprocess.run([*git, *words], cwd=tiny.path, check=True)
    tiny.run("-k", "flaky").assert_outcomes(failed=1)
    tiny.run("-k", "flaky").assert_outcomes(passed=1)
    code.write_text("2", encoding="utf-8")
    tiny.run().assert_outcomes(passed=1, failed=11)

    told = checked("diagnose", tiny.nomock("diagnose", "--json").stdout.str())
    found = {f["test"].rpartition("::")[2]: f["causes"][0] for f in told["failures"]}
    assert {test: cause["kind"] for test, cause in found.items()} == {
        test: kind for test, (kind, _) in EXPECTED.items()
    }
    for test, (_, text) in EXPECTED.items():
        assert found[test]["text"].startswith(text), found[test]
        assert found[test]["proof"]
    assert told["changed"] == [str(code)]

    lines = tiny.nomock("diagnose").outlines
    for test, (_, text) in EXPECTED.items():
        (at,) = (n for n, line in enumerate(lines) if line.startswith(f"  test_tiny.py::{test} ("))
        assert lines[at + 1].startswith(f"    {text}")


def failed(test: str) -> dict[str, object]:
    """Evidence of a test in which nothing was seen but that it failed."""
    nothing = dict.fromkeys(("exchanges", "logs", "faults", "fault_story", "events"), ())
    failure = {"phase": "call", "message": "assert 1 == 2", "text": ""}
    return {"test": {"id": test, "took_s": 0.1}, "failures": [failure], **nothing}


ASKED = {
    "method": "GET",
    "url": "http://web/x",
    "status": 503,
    "error": "",
    "at_s": 0.1,
    "took_s": 1,
}
LEAK = {"test": "t.py::test_writes", "value": "TEST 77", "where": "the answer to GET x"}
FAULT = {"name": "refused web->db", "at_s": 0.0, "until_s": None}


@pytest.mark.parametrize(
    ("message", "more", "first"),
    [
        ("assert 1 == 2", {}, "died"),
        ("assert 503 == 200", {"exchanges": [ASKED]}, "died"),
        ("assert 503 == 200", {"exchanges": [ASKED], "faults": [FAULT]}, "fault"),
        ("assert 'x' == 'y'", {"leaks": [LEAK]}, "leaked"),
        ("trace: 'web POST /' does not call 'worker job'", {}, "died"),
        ("trace: 'web POST /' does not call 'workers job'", {}, "trace"),
    ],
)
def test_a_death_before_the_test_should_be_its_cause_when_the_test_met_something_of_it(
    message: str, more: dict[str, Any], first: str
) -> None:
    text = "worker: exited with code 1, 9 s before this test began"
    death = {"service": "worker", "text": text, "at_s": -9, "is_asked": False, "details": []}
    record = {
        **dict.fromkeys(("exchanges", "logs", "faults", "fault_story"), ()),
        "test": {"took_s": 5.0},
        "failures": [{"phase": "call", "message": message, "text": message}],
        "events": [death],
        **more,
    }
    causes = causes_of(record, Known())
    assert (causes[0].kind, "died" in {cause.kind for cause in causes}) == (first, True)


def test_a_function_should_be_the_cause_when_it_changed_since_a_covered_run_was_green(
    tmp_path: Path,
) -> None:
    project = Project(
        tmp_path,
        {"": [("app/shop.py", 4)], SELL: [("app/shop.py", 21)], BUY: [("app/shop.py", 31)]},
    )
    project.git("init", "--quiet")
    project.write("docker-compose.yml", "services: {web: {image: i, build: ./app}}")
    project.write("app/Dockerfile", "FROM scratch")
    project.write("app/idle.py", "")
    project.write("app/shop.py", APP)
    project.write("pytest.ini", "[pytest]")
    project.write("tests/test_a.py", "def test_sell(): pass\ndef test_buy(): pass\n")
    project.commit()
    project.cover(passed=[SELL, BUY])
    project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
    sell, buy = causes_of_run(project.settings, [failed(SELL), failed(BUY)], with_changes=True)
    assert [(cause.kind, cause.text) for cause in sell] == [
        (
            "changed",
            "what it runs was changed since it was green: app/shop.py: Shop.sell() changed",
        ),
        ("assertion", "nothing but the test itself (call): assert 1 == 2"),
    ]
    assert [cause.kind for cause in buy] == ["assertion"]
