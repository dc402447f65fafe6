"""What the services log of a request: one line of JSON, with its end and its test."""

import json
import re
import time
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.logs import logged
from helpers.waits import SOON_S

from nomock import Service, Stack, baggage_header

SERVICES = ["auth", "billing", "instances", "mcp"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


def lines_of(service: Service, path: str) -> list[dict[str, Any]]:
    """Return what a service has logged of the requests for a path, as soon as there is any."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = [line for line in logged(service, path) if line.get("path") == path]
        return bool(found)

    eventually(is_there, within_s=SOON_S, reason=f"{path} should be in the log")
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_request_should_have_one_line_that_says_how_it_ended_when_it_is_over(
    stack: Stack, name: str, unique_name: Any, request: pytest.FixtureRequest
) -> None:
    path = f"/{unique_name()}".replace(" ", "-")
    began = time.perf_counter()
    reply = stack[name].http.delete(path)
    (line,) = lines_of(stack[name], path)
    most_ms = (time.perf_counter() - began) * 1000
    assert line["status"] == reply.status_code
    assert (line["method"], line["message"], line["logger"]) == ("DELETE", "request", "requests")
    assert (line["level"], line["service"]) == ("info", name)
    assert line["nomock.test"] == f"tests/{request.node.nodeid.rpartition('tests/')[2]}"
    assert TIME.fullmatch(line["time"])
    assert line["duration_ms"]
    assert line["duration_ms"] <= most_ms
    assert line["duration_ms"] == round(line["duration_ms"], 1)


@pytest.mark.parametrize("name", SERVICES)
def test_health_should_have_no_line_when_it_is_asked(
    stack: Stack, name: str, unique_name: Any
) -> None:
    path = f"/{unique_name()}".replace(" ", "-")
    reply = stack[name].http.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    stack[name].http.get(path)
    assert lines_of(stack[name], path)
    assert not [line for line in stack[name].logs().splitlines() if '"path": "/health"' in line]


@pytest.mark.parametrize("name", SERVICES)
def test_line_should_name_the_test_when_its_baggage_comes_in_parts_and_with_properties(
    stack: Stack, name: str, unique_name: Any
) -> None:
    path = f"/{unique_name()}".replace(" ", "-")
    _, *others = baggage_header().split(",")
    test = "nomock.test=a%20test=with%3Dit ; of=it;and=more"
    headers = [("baggage", "before=it"), ("baggage", test), ("baggage", ",".join(others))]
    httpx.get(stack[name].url + path, headers=headers)
    (line,) = lines_of(stack[name], path)
    assert line["nomock.test"] == "a test=with=it"


@pytest.mark.parametrize(
    ("name", "first"),
    [*((name, "Started server process") for name in SERVICES), ("worker", "listening")],
)
def test_log_should_have_the_same_words_in_each_line_when_a_service_writes_it(
    stack: Stack, name: str, first: str
) -> None:
    lines = stack[name].logs().splitlines()
    started = max(at for at, line in enumerate(lines) if f'"message": "{first}' in line)
    assert "--- Logging error ---" not in lines[started:]
    # What Python itself says when a process is ended is none of them.
    told = [json.loads(line) for line in lines[started:] if line.startswith("{")]
    for line in told:
        assert line.keys() >= {"time", "level", "service", "logger", "message"}
        assert "color_message" not in line
    assert {line["service"] for line in told} == {name}
