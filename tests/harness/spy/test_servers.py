"""The spy on every server it knows: real ones, in containers of images that know nothing of it."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from calling import program
from serving import BEHIND, HANGS, SET_UPS, SPY, SetUp, marked, serving

from nomock.coverage.harvest.folder import read_all

Images = Callable[[str], str]
Options = Callable[[str], list[str]]


# On the other Pythons one of each kind: event loop, greenlets, threads, a process that reloads.
ELSEWHERE = [
    ("uvicorn", "3.11"),
    ("uvicorn", "3.14"),
    ("gunicorn with gevent", "3.11"),
    *(("gunicorn with threads", version) for version in ("3.9", "3.11", "3.14")),
    *(("werkzeug by flask --debug", version) for version in ("3.9", "3.11", "3.14")),
]


@pytest.mark.parametrize(("name", "version"), [*((name, "3.13") for name in SET_UPS), *ELSEWHERE])
def test_exactly_its_lines_should_be_on_disk_when_a_tests_response_arrives_and_after_kill_9(
    server_image: Images,
    tracer_options: Options,
    tmp_path: Path,
    name: str,
    version: str,
) -> None:
    set_up, expected = SET_UPS[name], {}
    place = (server_image(version), set_up, tmp_path / "coverage")
    with serving(*place, *tracer_options(version)) as server:
        at_start_up = server.ran()[""]
        for request in set_up.requests:
            test = f"tests/test_shop.py::test_{request.route}[100 % of {set_up.name}, ü]"
            answer = server.get(request.path, test)
            ran = server.ran()
            assert request.is_answered_by(answer), answer
            expected[test] = request.lines(set_up)
            assert ran.get(test) == expected[test]
        test = "tests/test_shop.py::test_hangs"
        with server.begun(HANGS.path, test) as response:
            assert response.read1() == b"8388608"
            server.kill()
        ran = server.ran()
        later = ("hangs later", "never") if set_up.app in BEHIND else ("hangs later",)
        for mark in later:  # it may have come to these, or not
            ran[test] -= marked(set_up.file, mark)
        expected[test] = HANGS.lines(set_up)
        assert ran == {**expected, "": at_start_up}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("uvicorn", "3.13"),
        ("uvicorn", "3.14"),
        ("hypercorn", "3.13"),
        ("gunicorn with threads", "3.13"),
        ("werkzeug by flask run", "3.13"),
    ],
)
def test_a_line_should_be_on_disk_when_it_runs_after_the_begin_of_an_answer_and_before_kill_9(
    server_image: Images, tmp_path: Path, name: str, version: str
) -> None:
    set_up, expected, late = SET_UPS[name], {}, set()
    with serving(server_image(version), set_up, tmp_path / "coverage") as server:
        for request in BEHIND[set_up.app]:
            test, other = (f"tests/test_shop.py::test_{n}{request.route}" for n in ("", "other_"))
            is_websocket = request.status == 101
            with server.begun(request.path, test, websocket=is_websocket) as response:
                assert response.status == request.status
                # It has run when another test's request is answered, and it goes on.
                assert is_websocket or response.read(4) == b"sent"
                assert server.get(f"/ran{request.path}", other).body == b"ran"
                ran = server.ran()
            expected[test], expected[other] = request.lines(set_up), marked(set_up.file, "ran")
            if set_up.app == "wsgi_app":  # its thread may come to these later
                late |= marked(set_up.file, f"{request.route} later")
                late |= marked(set_up.file, "never")
            else:
                expected[test] |= marked(set_up.file, "never")
            assert ran[test] - late == expected[test]
        server.kill()
        ran = server.ran()
        assert {test: ran[test] - late for test in expected} == expected


@pytest.mark.slow
def test_every_server_should_answer_log_and_exit_as_without_the_spy_when_its_app_is_an_odd_one(
    server_image: Images, data_dir: Path
) -> None:
    """A class, a partial, slots, a body with a length, a factory, another framework's object."""
    image = server_image("3.13")
    with ThreadPoolExecutor(2) as both:
        without, with_spy = both.map(
            lambda out: program(image, data_dir, "python", "odd_servers.py", options=out),
            (["--env", "NOMOCK_SPY_OUT="], []),
        )
    expected = json.loads(without.stdout)
    answers = [answer[0] for _, answer, *_ in expected]
    assert answers.count(200) == len(answers) - 2, expected  # uvicorn takes two for ASGI 2
    assert json.loads(with_spy.stdout) == expected
    tests = [{r.context.test for r in p.ran()} - {""} for p in read_all(data_dir).processes]
    # Not those that come to nothing.
    assert len([t for t in tests if t]) == len(answers) - 2


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_only_the_apps_own_code_should_be_recorded_when_it_renders_templates(
    server_image: Images, tracer_options: Options, data_dir: Path, version: str
) -> None:
    command = ("python", "renders.py")
    image, options = server_image(version), tracer_options(version)
    ended = program(image, data_dir, *command, options=options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "Jinja\nMako\n", "")
    (process,) = read_all(data_dir).processes
    assert process.canary_failure() == ""
    recorded = {Path(file.path).name for files in process.lines.values() for file in files}
    assert recorded == {"canary.py", "renders.py"}


# A broken spy meets each way to load it and to serve: an event loop, processes made before and
# after the application is loaded, greenlets, threads, a process that reloads.
ONE_OF_EACH = (
    "uvicorn",
    "gunicorn",
    "gunicorn --preload",
    "gunicorn with gevent",
    "hypercorn",
    "werkzeug by flask --debug",
)


@dataclass(frozen=True)
class Defect:
    """A statement in a copy of the spy: in a function's ``try``, or at its or the file's begin."""

    file: str
    function: str
    statement: str
    only: str = ""
    """How the names of the set-ups begin that come across it."""
    version: str = "3.13"
    """The Python that does."""
    servers: Iterable[str] = ONE_OF_EACH
    """The set-ups it is shown on."""

    def __str__(self) -> str:
        return f"{self.file} {self.function} {self.statement}"

    def make(self, spy: Path) -> Path:
        """Copy the spy to a folder, with the defect in it."""
        shutil.copytree(SPY, spy, ignore=shutil.ignore_patterns("__pycache__"))
        path = spy / "nomock_spy" / self.file
        lines = path.read_text(encoding="utf-8").splitlines()
        first = self._first_statement(ast.parse("\n".join(lines)))
        lines.insert(first.lineno - 1, " " * first.col_offset + self.statement)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return spy

    def _first_statement(self, tree: ast.Module) -> ast.stmt:
        if not self.function:
            return next(node for node in tree.body if not isinstance(node, ast.ImportFrom))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        (function,) = (node for node in functions if node.name == self.function)
        guarded = (node for node in function.body if isinstance(node, ast.Try))
        return next((node.body[0] for node in guarded), function.body[0])


EXITS, RAISES = "raise SystemExit(3)", "raise ValueError('broken')"
DEFECTS = (
    Defect("cores/monitoring.py", "", "this is not Python", servers=SET_UPS),
    Defect("activities.py", "", "import no_such_module"),
    Defect("cores/appcode.py", "_watch", RAISES),
    Defect("cores/monitoring.py", "on_line", EXITS, servers=SET_UPS),
    Defect("cores/monitoring.py", "forked", EXITS, only="gunicorn"),
    Defect("baggage.py", "origin_of", EXITS),
    Defect("writer.py", "_ours", RAISES),
    Defect("servers/__init__.py", "wrapped", EXITS),
    Defect("imports.py", "_patch", EXITS),
    Defect("servers/__init__.py", "", "this is not Python"),
    Defect("cores/ctracer.py", "_on_audit", EXITS, version="3.11"),
)


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_every_server_should_answer_and_say_one_line_when_the_spy_is_broken(
    server_image: Images, tracer_options: Options, tmp_path: Path, defect: Defect
) -> None:
    spy, image = defect.make(tmp_path / "spy"), server_image(defect.version)
    options = tracer_options(defect.version)

    def said(set_up: SetUp) -> set[str]:
        with serving(image, set_up, tmp_path / set_up.name, *options, spy=spy) as server:
            for request in set_up.requests:
                if request.status == 200:  # else its traceback, which is long, is in the log
                    answer = server.get(request.path, f"tests/test_shop.py::test_{request.route}")
                    assert request.is_answered_by(answer), answer
            return {line for line in server.logs().splitlines() if "nomock" in line}

    with ThreadPoolExecutor(12) as threads:
        asked = {name: threads.submit(said, SET_UPS[name]) for name in defect.servers}
        lines = {name: answer.result() for name, answer in asked.items()}
    for name, own in lines.items():
        expected = ["nomock-spy: "] if name.startswith(defect.only) else []
        assert [line[:12] for line in own] == expected, (name, own)
