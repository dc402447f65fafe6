"""Covered runs of a tiny stack: what a user sees of canaries, of the table, and while it runs."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

import pytest
from coverage import CoverageData
from covered import DATA, overlay, spied
from schemas import checked
from tiny import IMAGE, NOMOCK, Service, Tiny, check, idle, inspect, server

from nomock.baggage import set_current_test
from nomock.cli.live import moment, the_test
from nomock.errors import ConfigError, CoverageError

APP = '''"""Answers /cat, /dog and everything else, each on a line of its own."""
from wsgiref.simple_server import make_server

def app(environ, start_response):
    path = environ["PATH_INFO"]
    answer = b"neither"
    if path == "/cat":
        answer = b"miaow"
    if path == "/dog":
        answer = b"woof"
    start_response("200 OK", [])
    return [answer]

make_server("0.0.0.0", 8000, app).serve_forever()
'''
TESTS = """
    def test_cat(stack):
        assert stack["web"].http.get("/cat").text == "miaow"

    def test_dog(stack):
        assert stack["web"].http.get("/dog").text == "woof"
"""


@pytest.fixture
def web(tiny: Tiny) -> Tiny:
    """A service that runs a file of this machine, with the spy in its overlay."""
    tiny.write("app/app.py", APP)
    runs = server(
        command=["python3", "/app/app.py"],
        volumes=["./app:/app:ro"],
        healthcheck=check("exec 3<>/dev/tcp/127.0.0.1/8000"),
    )
    tiny.compose(web=runs)
    overlay(tiny, web=spied("web"))
    tiny.tests(TESTS)
    return tiny


def table(text: str) -> list[list[str]]:
    """Return the words of the rows of the last table in a text."""
    lines = text.splitlines()
    begin = max(n for n, line in enumerate(lines) if line.startswith("service "))
    rows = [line.split() for line in lines[begin + 2 :]]
    return [row for row in rows if len(row) == 6 and row[0].isalpha()]


class TestRun:
    def test_tables_contexts_and_reports_should_be_made_when_a_covered_run_has_ended(
        self, web: Tiny
    ) -> None:
        ran = web.run("--sidecar-coverage")
        assert ran.ret == 0, ran.stdout.str()
        assert table(ran.stdout.str()) == [
            ["web", "1", "11", "11", "100.0", "2"],
            ["total", "1", "11", "11", "100.0", "2"],
        ]
        data = CoverageData(str(web.path / ".nomock/coverage/services.coverage"))
        data.read()
        by_line = data.contexts_by_lineno(str(web.path / "app/app.py"))
        assert by_line[8] == ["test_tiny.py::test_cat"]
        assert by_line[10] == ["test_tiny.py::test_dog"]
        assert by_line[2] == [""]
        reports = {path.name for path in (web.path / "coverage-report").iterdir()}
        assert reports == {".gitignore", "html", "coverage.xml", "coverage.json", "lcov.info"}

    @pytest.mark.slow
    def test_every_test_should_have_its_lines_when_tests_run_in_parallel(self, web: Tiny) -> None:
        ran = web.run("--sidecar-coverage", "-n", "2")
        assert ran.ret == 0, ran.stdout.str()
        assert table(ran.stdout.str())[0][-1] == "2"

    @pytest.mark.slow
    def test_a_file_should_be_left_out_and_named_when_it_changed_and_that_is_allowed(
        self, web: Tiny
    ) -> None:
        web.write("app/app.py", "import changing\n" + APP)
        web.write("app/changing.py", "a = 1\n")
        web.tests("""
            from pathlib import Path

            def test_cat(stack):
                assert stack["web"].http.get("/cat").text == "miaow"
                (Path(__file__).parent / "app/changing.py").write_text("a = 2 # newer")
        """)
        differs = (
            f"/app/changing.py: differs from {web.path}/app/changing.py, which was edited since"
        )
        ran = web.run("--sidecar-coverage")
        assert ran.ret == 6
        assert (
            "ERROR coverage of web: lines of the app ran and are not in the report\n"
            f"  web: {differs}\n" in ran.stdout.str()
        )
        assert table(ran.stdout.str())[0] == ["web", "1", "13", "12", "92.3", "1"]
        web.write("app/changing.py", "a = 1\n")
        ran = web.run("--sidecar-coverage", "--allow-unmapped")
        assert ran.ret == 0
        assert f"web: left out: {differs}" in ran.stdout.str()
        assert table(ran.stdout.str())[0] == ["web", "1", "13", "12", "92.3", "1"]


# Writes what a spy would that cannot record, or records nonsense.
FAKE_SPY = """
import json, os, sys, time
header = {"v": 3, "core": "sys.monitoring", "branches": False, "python": "3.13.5", "pid": 1}
header |= {"service": sys.argv[1], "run": os.environ["NOMOCK_SPY_RUN"], "unsupported": ""}
header |= {"host": os.uname().nodename, "started": time.time()}
path = "/nomock-spy/nomock_spy/cores/canary.py"
more = {
    "old": [],
    "deaf": [{"canary": -1, "context": 1, "hit": 12, "missed": 11}],
    "nonsense": [
        {"file": 0, "path": path},
        {"context": 1, "test": "nomock.canary", "fault": ""},
        {"in": 1, "at": 1.0, "lines": {"0": "1800"}},
        {"canary": 0, "context": 1, "hit": 12, "missed": 11},
    ],
}
if sys.argv[1] == "old":
    header |= {"core": None, "unsupported": "Python 3.6.9 is too old"}
with open(f"{os.environ['NOMOCK_SPY_OUT']}/{sys.argv[1]}.ndjson", "w") as file:
    for record in [header, *more[sys.argv[1]]]:
        print(json.dumps(record), file=file)
time.sleep(600)
"""


class TestCanaries:
    @pytest.mark.slow
    def test_services_should_be_named_with_reasons_before_any_test_when_their_spies_are_silent(
        self, tiny: Tiny
    ) -> None:
        sleep = "import time; time.sleep(600)"
        python = {"image": IMAGE, "command": ["python3", "-c", sleep], "stop_signal": "SIGKILL"}
        tiny.write("fake/spy.py", FAKE_SPY)
        tiny.write("locked/nothing", "")
        tiny.write("shared/nothing", "")
        first_only = f'mkdir /shared/taken && exec python3 -c "{sleep}" || exec sleep infinity'

        def fake(name: str) -> Service:
            command = ["python3", "-I", "/fake/spy.py", name]
            return {**python, "command": command, "volumes": ["./fake:/fake:ro"]}

        tiny.compose(
            fine=python,
            once={**idle(), "command": ["python3", "-c", "pass"]},
            waits={
                **idle(),
                "depends_on": {"once": {"condition": "service_completed_successfully"}},
            },
            replicas={
                **idle(first_only),
                "deploy": {"replicas": 2},
                "volumes": ["./shared:/shared"],
            },
            readonly=python,
            elsewhere=python,
            unwritable={**python, "user": "65534"},
            isolated={**python, "command": ["sh", "-c", f"exec python3 -uI -c '{sleep}'"]},
            clean={**python, "command": ["env", "-i", "/usr/bin/python3", "-c", sleep]},
            without=python,
            nopython=idle(),
            nameless=python,
            misnamed=python,
            **{name: fake(name) for name in ("old", "deaf", "nonsense")},
        )
        spy, data = spied("")["volumes"]
        of_no_run = {**spied("nameless")["environment"], "NOMOCK_SPY_RUN": ""}
        as_it_should_be = ("fine", "once", "replicas", "isolated", "clean", "nopython")
        overlay(
            tiny,
            **{name: spied(name) for name in (*as_it_should_be, "old", "deaf", "nonsense")},
            readonly=spied("readonly", volumes=[spy, f"{data}:ro"]),
            elsewhere=spied("elsewhere", volumes=[spy]),
            unwritable=spied("unwritable", volumes=[spy, f"./locked:{DATA}"]),
            without=spied("without", volumes=[data]),
            nameless=spied("nameless", environment=of_no_run),
            misnamed=spied("another"),
        )
        tiny.tests("def test_it(stack): raise AssertionError('it must not run')")

        ran = tiny.run("--sidecar-coverage")

        assert ran.ret == 6
        said = re.sub(r"\b[0-9a-f]{12}\b", "ID", ran.stdout.str())
        assert "it must not run" not in said
        assert said.partition("the stack is not ready\n")[2].partition(" !")[0] == SILENT


SILENT = """\
coverage of clean, deaf, elsewhere, isolated, misnamed, nameless, nonsense, nopython, old, \
readonly, replicas, unwritable, without: the spy does not report what runs
  clean: container ID: env -i in its command takes the environment away
    -> change that, by command: or entrypoint: in the overlay
  deaf: container ID: its process 1: its canary's line 12 ran and was not reported
    -> nomock logs deaf shows what the spy said
  elsewhere: container ID: nothing is mounted at /nomock-spy-data
    -> mount .nomock/coverage there: /nomock-spy-data
  isolated: container ID: -uI in its command: Python then reads no PYTHONPATH
    -> change that, by command: or entrypoint: in the overlay
  misnamed: container ID: the overlay gives it the name another
    -> write there: NOMOCK_SPY_SERVICE: misnamed
  nameless: container ID: the overlay does not hand on the run's name: NOMOCK_SPY_RUN
    -> add to its environment in the overlay: NOMOCK_SPY_RUN: ${NOMOCK_SPY_RUN:-}
  nonsense: container ID: its process 1: its canary's line 11 did not run and was reported
    -> nomock logs nonsense shows what the spy said
  nopython: container ID: no process of it started a spy: it runs no Python; or its entry point \
cleans the environment, or starts Python with -I, -E or -S
    -> docker exec ID env shows what arrives; where no Python runs, take the service out of the \
overlay
  old: container ID: its process 1: Python 3.6.9 is too old
    -> give it a Python that the spy can record, or take it out of the overlay
  readonly: container ID: /nomock-spy-data is mounted read-only
    -> take read_only from that mount in the overlay
  replicas: container ID: no process of it started a spy: it runs no Python; or its entry point \
cleans the environment, or starts Python with -I, -E or -S
    -> docker exec ID env shows what arrives; where no Python runs, take the service out of the \
overlay
  unwritable: container ID: its spy says: not recording: cannot write to /nomock-spy-data: \
Permission denied
    -> let its user write there; see whether the disk is full
  without: container ID: no folder of its PYTHONPATH (/nomock-spy) is mounted
    -> mount coverage-spy there in the overlay
-> all causes that there are: nomock docs coverage"""


@pytest.fixture
def covered(web: Tiny) -> Tiny:
    """The stack after a covered run of one test, still there."""
    ran = web.run("--sidecar-coverage", "-k", "cat")
    assert ran.ret == 0, ran.stdout.str()
    return web


def ask_dog(tiny: Tiny) -> None:
    """Ask as a test of its own: this one uses no stack that the plugin knows of."""
    set_current_test("test_live.py::by_hand")
    try:
        assert tiny.stack()["web"].http.get("/dog").text == "woof"
    finally:
        set_current_test(None)


@contextmanager
def watching(tiny: Tiny, stdout: int) -> Iterator[subprocess.Popen[str]]:
    """Run the command in the background, and end it as Ctrl-C does."""
    command = [NOMOCK, "coverage-live", "--watch"]
    with subprocess.Popen(command, cwd=tiny.path, stdout=stdout, text=True) as watch:
        try:
            yield watch
        finally:
            watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=30) == 0


def next_table(out: IO[str]) -> str:
    """Return what is printed up to the end of a table."""
    text = ""
    while not (text.splitlines() or [""])[-1].startswith("total "):
        line = out.readline()
        assert line, f"it ended after: {text}"
        text += line
    return text


class TestCommand:
    @pytest.mark.slow
    def test_what_ran_so_far_should_be_shown_when_nothing_is_stopped(self, covered: Tiny) -> None:
        before = inspect(covered.containers()["web"])["State"]["StartedAt"]
        assert table(covered.nomock("coverage-live").stdout.str()) == [
            ["web", "1", "11", "10", "90.9", "1"],
            ["total", "1", "11", "10", "90.9", "1"],
        ]
        since = datetime.now().isoformat()
        ask_dog(covered)
        assert table(covered.nomock("coverage-live").stdout.str())[0][3:] == ["11", "100.0", "2"]
        found = checked("coverage-live", covered.nomock("coverage-live", "--json").stdout.str())
        assert (found["services"][0]["lines"], found["total"]["percent"]) == (11, 100.0)
        later = covered.nomock("coverage-live", "--since", since).stdout.str()
        assert table(later)[0] == ["web", "1", "11", "7", "63.6", "1"]
        assert inspect(covered.containers()["web"])["State"]["StartedAt"] == before

    def test_the_lines_of_a_test_should_be_shown_when_a_part_of_its_id_is_given(
        self, covered: Tiny
    ) -> None:
        shown = covered.nomock("coverage-live", "--test", "cat").stdout.str()
        assert shown.startswith("test_tiny.py::test_cat\nservice ")
        assert table(shown)[0] == ["web", "1", "11", "7", "63.6", "1"]
        wrong = covered.nomock("coverage-live", "--test", "cow")
        assert (wrong.ret, wrong.stderr.str().strip()) == (
            1,
            "--test: no test that has 'cow' in its id ran a line\n"
            "  tests that did: 1\n"
            "-> give the whole id, or a part that only one has",
        )

    @pytest.mark.slow
    def test_another_table_should_follow_when_it_changed_and_is_watched(
        self, covered: Tiny
    ) -> None:
        with watching(covered, subprocess.PIPE) as watch:
            assert watch.stdout is not None
            assert table(next_table(watch.stdout))[0][3] == "10"
            ask_dog(covered)
            second = next_table(watch.stdout)
        assert table(second)[0][3] == "11"
        assert "\n\nservice" in second

    def test_the_table_should_be_drawn_over_when_it_is_watched_on_a_terminal(
        self, covered: Tiny
    ) -> None:
        ours, theirs = pty.openpty()
        with os.fdopen(ours) as terminal, watching(covered, theirs):
            first = next_table(terminal)
            ask_dog(covered)
            second = next_table(terminal)
        os.close(theirs)
        shown = len(first.splitlines()) + 1  # and the note below the table
        assert second.splitlines()[-1].split()[3] == "11"
        assert f"\x1b[{shown}F\x1b[Jservice" in second

    def test_it_should_say_what_to_do_when_no_service_runs_with_the_spy(self, web: Tiny) -> None:
        assert web.nomock("up").ret == 0
        asked = web.nomock("coverage-live")
        assert (asked.ret, web.plain(asked.stderr.str()).strip()) == (
            1,
            "stack NAME: no service runs with the spy\n"
            "  those that can be covered: web\n"
            "-> start it with the spy, and leave it so: pytest --nomock-sidecar-coverage",
        )


NOW = datetime(2026, 11, 21, 10, 0, 0)


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("90s", datetime(2026, 11, 21, 9, 58, 30)),
        ("5m", datetime(2026, 11, 21, 9, 55)),
        ("1.5h", datetime(2026, 11, 21, 8, 30)),
        ("9:15", datetime(2026, 11, 21, 9, 15)),
        ("09:15:30", datetime(2026, 11, 21, 9, 15, 30)),
        ("10:15", datetime(2026, 11, 20, 10, 15)),
        ("2026-11-20T10:15", datetime(2026, 11, 20, 10, 15)),
        ("2026-11-20", datetime(2026, 11, 20)),
    ],
)
def test_a_moment_should_be_understood_when_written_in_any_way(text: str, then: datetime) -> None:
    assert moment(text, NOW) == then.timestamp()


@pytest.mark.parametrize("text", ["yesterday", "25:00", "5", "-5m", "m"])
def test_a_moment_should_be_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        moment(text, NOW)
    assert str(raised.value) == (
        f"--since: {text!r} is no moment\n"
        "-> a time of day (10:15, 10:15:30), a date and time (2026-11-21T10:15), "
        "or how long ago: 90s, 5m, 2h"
    )


def test_a_test_should_be_found_when_its_id_or_a_part_of_it_is_given() -> None:
    tests = {"tests/test_a.py::test_b", "tests/test_a.py::test_b[1]"}
    assert the_test("tests/test_a.py::test_b", tests) == "tests/test_a.py::test_b"
    assert the_test("[1", tests) == "tests/test_a.py::test_b[1]"


def test_the_tests_should_be_listed_when_several_have_the_part() -> None:
    tests = {f"tests/test_a.py::test_{n:02}" for n in range(23)}
    with pytest.raises(CoverageError) as raised:
        the_test("test_a.py", tests)
    assert raised.value.what == "23 tests have 'test_a.py' in their id"
    listed = raised.value.seen.splitlines()
    assert listed[:2] == ["tests/test_a.py::test_00", "tests/test_a.py::test_01"]
    assert (len(listed), listed[-1]) == (21, "and 3 more")
