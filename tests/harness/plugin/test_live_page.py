"""`--live` and `--events`: what a run tells while it goes on."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tiny import Tiny, server

LOGS = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        line = {"level": "info", "message": "asked", "baggage": self.headers.get("baggage")}
        print(json.dumps(line | {"token": "a-secret-of-many-letters"}), flush=True)
        print(json.dumps(line | {"message": "my own is " + os.environ["API_KEY"]}), flush=True)
        self.send_response(500 if "bad" in self.path else 200)
        self.end_headers()

    def log_message(self, *args): pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""

TESTS = """
import pytest

def test_good(stack): assert stack["web"].http.get("/good").status_code == 200
def test_bad(stack): assert stack["web"].http.get("/bad").status_code == 200
@pytest.mark.skip(reason="not now")
def test_skipped(): pass
"""

WAITS = """
from pathlib import Path
from threading import Event

def test_waits(stack):
    stack["web"].http.get("/good")
    while not Path("go-on").exists():
        Event().wait(0.02)
"""


@pytest.fixture
def web(tiny: Tiny) -> Tiny:
    """A service that logs the baggage of its requests."""
    tiny.write("app.py", LOGS)
    tiny.compose(
        web=server(
            command=["python3", "-u", "/srv/app.py"],
            volumes=["./app.py:/srv/app.py:ro"],
            environment={"API_KEY": "an-own-one-of-many-letters"},
        )
    )
    tiny.tests(TESTS)
    return tiny


def told(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["one process", "workers"])
def test_each_test_should_be_told_with_its_evidence_when_it_ends(
    web: Tiny, more: list[str]
) -> None:
    result = web.run("--events", "told.jsonl", *more)
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    events = told(web.path / "told.jsonl")
    first, *between, last = events
    assert first["event"] == "run"
    assert first["version"] == 1
    assert last == {"event": "finish", "exit_status": 1}
    ends = {
        e["id"].partition("test_")[2].partition("::test_")[2]: e
        for e in between
        if e["event"] == "end"
    }
    assert {name: end["outcome"] for name, end in ends.items()} == {
        "good": "passed",
        "bad": "failed",
        "skipped": "skipped",
    }
    for end in ends.values():
        start = next(e for e in between if e["event"] == "start" and e["id"] == end["id"])
        assert between.index(start) < between.index(end)
    record = ends["bad"]["record"]
    assert record["test"]["id"] == ends["bad"]["id"]
    assert [exchange["status"] for exchange in record["exchanges"]] == [500]
    assert "-of-many-letters" not in (web.path / "told.jsonl").read_text()


@pytest.mark.slow
def test_the_page_should_show_a_test_and_its_lines_when_it_has_not_ended(web: Tiny) -> None:
    web.tests(WAITS)
    with _running(web, "--live", "-q") as run:
        url = _url(run)
        assert "<title>nomock evidence</title>" in _get(url, "/")
        events = _events(url)
        assert next(events)[0] == "run"
        assert next(events)[0] == "start"
        kind, log = next(events)
        assert (kind, log["line"]["message"], log["line"]["whose"]) == ("log", "asked", "own")
        assert log["id"].endswith("::test_waits")
        (web.path / "go-on").touch()
        rest = list(events)
        assert [kind for kind, _ in rest if kind != "log"] == ["end", "finish"]
        assert run.wait() == 0


@pytest.mark.slow
def test_nothing_should_be_served_when_another_host_or_path_is_asked_or_the_run_is_over(
    web: Tiny,
) -> None:
    web.tests(WAITS)
    with _running(web, "--live") as run:
        url = _url(run)
        assert _status(url, "/", Host="evil.example") == 403
        for path in ("/../../.env", "/%2e%2e/evidence.json", "/x/evidence.json", "/.env"):
            assert _status(url, path) == 404
        (web.path / "go-on").touch()
        assert run.wait() == 0
    with pytest.raises(OSError):
        _get(url, "/")


def test_a_run_should_end_at_once_when_its_events_cannot_be_written(web: Tiny) -> None:
    result = web.run("--events", "no/such/folder")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --events no/such/folder: No such file or directory"])


def test_a_run_should_go_on_and_say_so_when_the_disk_of_its_events_is_full(web: Tiny) -> None:
    result = web.run("--events", "/dev/full", "-k", "good")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["/dev/full is not whole: * No space left on device*"])


def _running(tiny: Tiny, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=tiny.path, stdout=subprocess.PIPE, text=True)


def _url(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    for line in run.stdout:
        if found := re.match(r"nomock: live at (\S+)", line):
            return found[1]
    raise AssertionError("it said no address")


def _get(url: str, path: str) -> str:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def _status(url: str, path: str, **headers: str) -> int:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def _events(url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.request("GET", "/events")
        kind = ""
        for line in connection.getresponse():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)
