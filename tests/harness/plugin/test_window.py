"""A service that dies, restarts or turns unhealthy while a test runs opens that test's report."""

from __future__ import annotations

import re

import pytest
from tiny import Tiny, idle, server

from nomock.target.past import Course, Probed

# Dies of a request, as a service with a bug does: with the exit code of its path.
FRAIL = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Frail(BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked for", self.path, flush=True)
        if self.path.startswith("/die"):
            os._exit(int(self.path.rpartition("/")[2]))
        if self.path == "/sick":
            open("/tmp/sick", "w").close()
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args): pass
print("serving", flush=True)
HTTPServer(("", 8000), Frail).serve_forever()
"""
SICK = {
    "test": ["CMD-SHELL", "! test -e /tmp/sick || { echo first line >&2; curl http://localhost; }"],
    "interval": "200ms",
    "retries": 2,
}


def frail(**more: object) -> dict[str, object]:
    command = ["python3", "-u", "/frail.py"]
    return server(command=command, volumes=["./frail.py:/frail.py:ro"], **more)


@pytest.fixture
def fragile(tiny: Tiny) -> Tiny:
    tiny.write("frail.py", FRAIL)
    return tiny


def plain(text: str) -> str:
    """Return a text without its times."""
    return re.sub(r"\b\d+(\.\d+)? s\b", "T s", text)


def report_of(text: str, test: str) -> list[str]:
    """Return the lines of one test's report, without its title."""
    title = re.search(rf"^_+ .*\b{test} _+$", text, re.MULTILINE)
    assert title, text
    end = re.search(r"^(_+ .* _+|=+ .* =+)$", text[title.end() + 1 :], re.MULTILINE)
    assert end
    return plain(text[title.end() + 1 :][: end.start()]).splitlines()


def section(report: list[str], title: str) -> list[str]:
    """Return the lines of a section."""
    begin = next(n for n, line in enumerate(report) if title in line)
    body = report[begin + 1 :]
    return body[: next((n for n, line in enumerate(body) if line.startswith("-----")), len(body))]


BEFELL = "What befell the services"


@pytest.mark.slow
def test_a_service_that_died_should_be_the_first_line_when_its_test_fails(fragile: Tiny) -> None:
    fragile.compose(
        web=frail(),
        again=frail(restart="always"),
        both=idle("echo up; exec sleep infinity", deploy={"replicas": 2}),
        sick=frail(healthcheck=SICK),
        end=idle("echo fine; exec sleep infinity"),
    )
    fragile.tests("""
        import subprocess
        from threading import Event
        import pytest

        def test_dies(stack):
            print("said by the test")
            stack["web"].http.get("/die/3")

        def test_after_that(stack):
            assert False

        @pytest.fixture
        def again(stack):
            yield stack["again"]
            pause = Event()
            for _ in range(2):
                with pytest.raises(Exception):
                    stack["again"].http.get("/die/7")
                while stack["again"].logs().count("serving") < 2:
                    pause.wait(0.02)
            assert False

        def test_restarts(again): pass

        def test_is_killed_from_outside(stack):
            own = [c for c in stack.containers() if c.service == "both" and c.number == 2]
            subprocess.run(["docker", "kill", own[0].id], check=True)
            assert False

        @pytest.fixture
        def sick(stack):
            stack["sick"].http.get("/sick")
            while next(c for c in stack.containers() if c.service == "sick").health == "healthy":
                Event().wait(0.02)
            raise ValueError

        def test_turns_unhealthy(sick): pass

        def test_ends_it_itself(stack):
            stack["end"].restart()
            stack["end"].kill()
            assert False

        def test_passes(stack): pass
    """)
    result = fragile.run("-n0")
    text = result.stdout.str()
    print(text)
    result.assert_outcomes(passed=2, failed=4, errors=2)

    report = report_of(text, "test_dies")
    assert report[0] == "web: exited with code 3 at T s"
    assert section(report, BEFELL) == [
        "web: exited with code 3 at T s",
        "  the last that web logged:",
        "    serving",
        "    asked for /die/3",
    ]
    titles = [line.strip("- ") for line in report if line.startswith("-----")]
    logs = "Service logs in the test's window"
    assert titles == [BEFELL, "Captured stdout call", logs, "Evidence"]

    report = report_of(text, "test_after_that")
    assert report[0] == "web: exited with code 3, T s before this test began"
    assert "asked for" in "".join(section(report, BEFELL))

    report = report_of(text, "test_restarts")
    assert report[0].startswith("again: restarted (exit code 7 at T s")

    report = report_of(text, "test_is_killed_from_outside")
    assert "both-2: exited with code 137 at T s (SIGKILL by docker kill, stop or restart)" in report
    assert "both-1" not in "".join(section(report, BEFELL))

    report = report_of(text, "test_turns_unhealthy")
    line = "sick: turned unhealthy at T s: /bin/sh: 1: curl: not found"
    assert line in report
    told = section(report, BEFELL)
    assert told[told.index(line) + 1 :][:4] == [
        "  its healthcheck failed with 127:",
        "    first line",
        "    /bin/sh: 1: curl: not found",
        "  the last that sick logged:",
    ]

    report = report_of(text, "test_ends_it_itself")
    told = section(report, BEFELL)
    assert told[-1] == "end: exited with code 137 at T s, 2 times, after this test sent it SIGKILL"
    assert told[-1] not in report[0]


@pytest.mark.slow
def test_replicas_should_be_told_apart_when_a_service_has_two(fragile: Tiny) -> None:
    two = idle("hostname; exec sleep infinity", deploy={"replicas": 2})
    fragile.compose(both=two, sick=idle(healthcheck=SICK))
    fragile.tests("""
        import subprocess
        from threading import Event

        def test_all(stack):
            first, second = [c for c in stack.containers() if c.service == "both"]
            assert (first.number, second.number) == (1, 2)
            hosts = [first.id[:12], second.id[:12]]
            both = stack["both"]
            assert both.container_id == first.id
            assert both.exec("hostname").strip() == hosts[0]
            assert sorted(both.logs().splitlines()) == sorted(hosts)
            assert len(both.logs(tail=1).splitlines()) == 1
            both.restart()
            assert sorted(both.logs().splitlines()) == sorted(hosts * 2)
            stack["sick"].exec("touch", "/tmp/sick")
            while next(c for c in stack.containers() if c.service == "sick").health == "healthy":
                Event().wait(0.02)
            subprocess.run(["docker", "kill", second.id], check=True)
            assert False
    """)
    text = fragile.run("-n0").stdout.str()
    report = report_of(text, "test_all")
    killed = "both-2: exited with code 137 at T s"
    assert any(line.startswith(killed) and "2 times" in line for line in report[:2])
    logs = section(report, "Service logs in the test's window")
    assert {line.partition(" s  ")[2].split(" | ")[0] for line in logs} == {"both-1", "both-2"}

    status = fragile.nomock("status")
    status.stdout.re_match_lines(
        [r"both-1 +running +exited with code 137", r"both-2 +exited", r"sick +unhealthy +turned"]
    )
    fragile.nomock("diagnose").stdout.re_match_lines(
        [
            "  both: exited with code 137",
            "    both-1:",
            "    both-2:",
            r"    exited with code 137, 20\d\d-.*",
            "  sick: turned unhealthy",
            r"    its healthcheck failed with 127, 20\d\d-.*:",
            "      first line",
            "      /bin/sh: 1: curl: not found",
        ]
    )
    header = [line for line in fragile.run("-n0").outlines if "python" in line]
    assert [line.split()[1] for line in header if line.startswith("nomock:  ")] == [
        "both-1",
        "both-2",
        "sick",
    ]


@pytest.mark.parametrize(
    ("health", "codes", "said"),
    [
        ("unhealthy", [1, 0], None),
        ("unhealthy", [0, 1], 1),
        ("healthy", [1], None),
        (None, [], None),
    ],
)
def test_a_healthcheck_should_complain_only_when_its_last_run_made_it_unhealthy(
    health: str | None, codes: list[int], said: int | None
) -> None:
    probes = tuple(Probed(0.0, code, "") for code in codes)
    course = Course("exited", None, None, 137, False, health, None, probes)
    complaint = course.complaint
    assert (complaint and complaint.exit_code) == said
