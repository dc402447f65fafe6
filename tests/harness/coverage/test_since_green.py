"""Evidence of a covered run: which lines a red test ran that it did not run when it was green."""

from __future__ import annotations

import json
from typing import Any

import pytest
from covered import overlay, spied
from tiny import LISTENS, Tiny, server

APP = '''"""Answers by what stands in a file beside its source."""
from pathlib import Path
from wsgiref.simple_server import make_server

def good():
    return b"good"

def bad():
    return b"bad"

def app(environ, start_response):
    start_response("200 OK", [])
    if Path("/data/mode").read_text() == "good":
        return [good()]
    return [bad()]

make_server("0.0.0.0", 8000, app).serve_forever()
'''


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "workers"])
def test_lines_should_be_told_that_a_test_ran_only_now_or_only_when_it_was_green(
    tiny: Tiny, more: list[str]
) -> None:
    tiny.write("app/app.py", APP)
    mode = tiny.write("data/mode", "good")
    tiny.compose(
        web=server(
            command=["python3", "/app/app.py"],
            volumes=["./app:/app:ro", "./data:/data:ro"],
            healthcheck=LISTENS,
        )
    )
    overlay(tiny, web=spied("web"))
    tiny.tests("""
        def test_good(stack): assert stack["web"].http.get("/").text == "good"
        def test_never(stack): assert stack["web"].http.get("/").text == "never"
    """)
    tiny.run("--sidecar-coverage", *more).assert_outcomes(passed=1, failed=1)
    assert _lines(tiny) == {"test_never": None}

    mode.write_text("bad")
    tiny.run("--sidecar-coverage", *more).assert_outcomes(failed=2)
    found = _lines(tiny)
    assert found["test_never"] is None
    del found["test_good"]["green_run"]
    assert found["test_good"] == {
        "only_now": {"app/app.py": "9,15"},
        "only_when_green": {"app/app.py": "6,14"},
        "changed": [],
    }
    (page,) = _newest(tiny).glob("index.html")
    assert '"only_now":{"app/app.py":"9,15"}' in page.read_text()

    tiny.write("app/app.py", APP.replace("def good", "\n\ndef good"))
    tiny.run("--sidecar-coverage", *more).assert_outcomes(failed=2)
    found = _lines(tiny)
    assert (found["test_good"]["only_now"], found["test_good"]["changed"]) == ({}, ["app/app.py"])


def _newest(tiny: Tiny) -> Any:
    return max((tiny.path / ".nomock/evidence").iterdir())


def _lines(tiny: Tiny) -> dict[str, Any]:
    """Return what the newest run's evidence has as lines, by the names of its tests."""
    records = [json.loads(path.read_text()) for path in _newest(tiny).glob("*/evidence.json")]
    return {record["test"]["name"]: record["lines"] for record in records}
