"""Other people's ways to start a Python: launchers, tracing, runners, servers of other kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from coverage import CoverageData
from covered import overlay, spied
from foreign import Done, Foreign
from pythons import VERSIONS, image_of
from test_spy import Container
from tiny import IMAGE, Tiny, check, idle

from nomock.coverage.harvest import ServiceSource, prepare, too_new
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.reading import process_of
from nomock.coverage.harvest.records import Process

Foreigns = Callable[..., Foreign]


def table(done: Done) -> dict[str, list[str]]:
    """Return files, lines, covered lines and tests by service, of a covered run."""
    rows = re.findall(r"^([\w-]+) +(\d+) +(\d+) +(\d+) +[\d.]+ +(\d+)$", done.text, re.M)
    return {name: numbers for name, *numbers in rows}


def covered_run(project: Foreign) -> Done:
    """Let compose build and start it, write the overlay, and run the tests with coverage."""
    started = project.compose("up", "--build", "--detach", "--quiet-pull")
    assert started.code == 0, started.text
    overlay = project.nomock("overlay")
    assert overlay.code == 0, overlay.text
    return project.pytest("-q", "--sidecar-coverage")


@pytest.mark.slow
def test_only_the_apps_files_should_count_when_launchers_lie_anywhere(foreign: Foreigns) -> None:
    done = covered_run(foreign("launchers"))
    assert done.code == 0, done.text
    rows = table(done)
    assert {name: row[0] for name, row in rows.items()} == {
        **dict.fromkeys(("debian", "user", "linked", "module"), "1"),
        **dict.fromkeys(("own", "copied"), "2"),
        "total": "3",
    }, done.text
    assert rows["own"][1:] == rows["copied"][1:]
    assert "left out" not in done.text


@pytest.mark.slow
def test_each_service_should_be_covered_when_tracing_starts_it(foreign: Foreigns) -> None:
    project = foreign("tracing-launchers")
    done = covered_run(project)
    assert done.code == 0, done.text
    plain, workers = table(done)["plain"], table(done)["workers"]
    assert table(done) == {
        **dict.fromkeys(("plain", "otel", "shell", "elastic"), plain),
        "workers": workers,
        "total": ["2", *table(done)["total"][1:]],
    }, done.text
    assert workers[0] == "2"
    assert "traced" in project.nomock("logs", "shell").text


BLIND = """\
import time
while True:
    time.sleep(0.1)
"""


@pytest.mark.slow
def test_a_service_should_be_named_when_only_others_in_its_container_have_a_spy(
    tiny: Tiny,
) -> None:
    """A healthcheck's Python, one of an entry point, and a launcher prove that the spy works."""
    tiny.write("app/blind.py", BLIND)
    tiny.write(
        "app/launch.py", "import os\nos.execv('/usr/bin/python3', ['py', '-I', '/blind.py'])"
    )
    mounts = ["./app/blind.py:/blind.py:ro", "./app/launch.py:/launch.py:ro"]
    healthy = check("python3 -c pass")
    more = {"volumes": mounts, "stop_signal": "SIGKILL"}
    anew = "export PYTHONPATH=/srv; exec python3 /blind.py"
    tiny.compose(
        probed=idle(anew, healthcheck={**healthy, "start_period": "30s"}, **more),
        migrated=idle(f"python3 -c pass; {anew}", **more),
        launched={**idle(), **more, "command": ["python3", "/launch.py"]},
        # Beside the service's own Python there may be others without one.
        fine=idle("python3 -I /blind.py & exec python3 /blind.py", **more),
    )
    tiny.tests("def test_it(stack): raise AssertionError('it must not run')")
    names = ("probed", "migrated", "launched", "fine")
    overlay(tiny, **{name: spied(name) for name in names})
    ran = tiny.run("--sidecar-coverage")
    said = re.sub(r"process \d+", "process N", tiny.plain(ran.stdout.str()))
    assert ran.ret == 6, said
    assert "it must not run" not in said
    found = re.findall(r"^  (\w+): container ID: (.*)$", said, re.M)
    python = "its process N (python3 /blind.py) has no spy"
    path = (
        "its PYTHONPATH is /srv: without the spy's folder, or with another sitecustomize in front"
    )
    assert found == [
        ("launched", "its process N became 'py -I /blind.py', which has no spy"),
        ("migrated", f"{python}: {path} of it"),
        ("probed", f"{python}: {path} of it"),
    ], said


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_installed_modules_should_be_the_apps_when_nomock_says_so(
    version: str, tmp_path: Path, tracer_options: Callable[[str], list[str]]
) -> None:
    data, packages = tmp_path / "coverage", tmp_path / "site-packages"
    prepare(data)
    for name in ("shop/till.py", "till.py", "shopping.py", "company/shop/a.py", "company/b.py"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("PRICE = 9\n", encoding="utf-8")
    container = Container(image_of(version), data)
    options = container.options(
        *container.mount,
        *("--mount", f"type=bind,source={packages},target=/x/site-packages,readonly"),
        *tracer_options(version),
    )
    look = "import sys; sys.path.insert(0, '/x/site-packages'); "
    look += "import shop.till, till, shopping, company.shop.a, company.b"

    def recorded() -> set[str]:
        ended = container.run("python3", "-c", look, options=options)
        assert (ended.returncode, ended.stderr) == (0, "")
        return {
            file.path.removeprefix("/x/site-packages/")
            for process in read_all(data).processes
            for file in process.app_files()
        }

    assert recorded() == set()
    said = data / "app-modules.json"
    said.write_text('{"other": ["shopping"], "app": ["shop", "till", "company.shop"]}')
    assert recorded() == {"shop/till.py", "till.py", "company/shop/a.py"}
    said.write_text("{broken")
    assert container.run("python3", "-c", look, options=options).returncode == 0


def test_a_child_should_have_the_spy_when_it_is_spawned_with_no_environment_of_its_own(
    tmp_path: Path,
) -> None:
    """As subprocess does it from Python 3.13 on, and with it poetry, pdm and hatch."""
    data = tmp_path / "coverage"
    prepare(data)
    container = Container(IMAGE, data)
    program = (
        "import os, sys\n"
        "os.environ['PYTHONPATH'] = '/nowhere'\n"
        "os.waitpid(os.posix_spawn(sys.executable, ['python3', '-c', 'pass'], None), 0)\n"
    )
    ended = container.run("python3", "-c", program, options=container.options(*container.mount))
    processes = read_all(data).processes
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [process.lost for process in processes] == [[], []]


@pytest.mark.slow
def test_each_service_should_be_covered_when_a_runner_starts_it(foreign: Foreigns) -> None:
    project = foreign("runners")
    done = covered_run(project)
    assert done.code == 0, done.text
    names = ("uvpython", "uvscript", "uvserver", "honcho", "supervised", "entry")
    assert {name: row[0] for name, row in table(done).items()} == dict.fromkeys(
        (*names, "total"), "1"
    ), done.text
    said = project.nomock("overlay").text
    assert re.search(r"^none +CPython \S+ +none +its command is not Python: sleep$", said, re.M)
    overlay = (project.path / "docker-compose.coverage.yml").read_text(encoding="utf-8")
    assert "  none:" not in overlay
    # Who names it knows better; that nothing of it runs is found out before the first test.
    named = project.nomock("overlay", "none", "entry")
    assert named.code == 0, named.text
    done = project.pytest("-q", "--sidecar-coverage")
    assert done.code == 6, done.text
    assert "coverage of none: the spy does not report what runs" in done


@pytest.mark.slow
def test_requests_should_have_their_test_when_other_servers_serve_them(foreign: Foreigns) -> None:
    done = covered_run(foreign("other-servers"))
    assert done.code == 0, done.text
    rows = table(done)
    # Each process of uWSGI's, however it forks, has all lines of its own.
    assert rows["uwsgi"][:3] == rows["forked"][:3] == rows["waitress"][:3], done.text
    assert rows["by-file"][:3] == rows["uwsgi"][:3], done.text
    assert (rows["waitress"][3], rows["aiohttp"][3]) == ("1", "1"), done.text


@pytest.mark.slow
def test_a_job_should_have_the_test_that_ordered_it_when_a_queue_carries_it(
    foreign: Foreigns,
) -> None:
    """Also tried again, in a chain, and past workers without the spy, which get the same jobs."""
    project = foreign("queues")
    done = covered_run(project)
    assert done.code == 0, done.text
    tests = {name: row[3] for name, row in table(done).items()}
    workers = dict.fromkeys(("celery", "rq", "dramatiq", "arq"), "1")
    assert tests == {"web": "7", **workers, "total": "7"}, done.text
    tasks = project.path / "app/tasks.py"
    marks = re.compile(r"# for: (.*)$")
    lines = enumerate(tasks.read_text(encoding="utf-8").splitlines(), 1)
    marked = {n: found[1].split(", ") for n, line in lines if (found := marks.search(line))}
    data = CoverageData(str(project.path / ".nomock/coverage/services.coverage"))
    data.read()
    contexts = data.contexts_by_lineno(str(tasks))
    assert {n: sorted(contexts[n]) for n in marked} == {
        n: sorted(f"test_queues.py::test_ordered[/{path}]" for path in paths)
        for n, paths in marked.items()
    }


def test_files_should_be_named_beforehand_when_only_a_newer_python_can_parse_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "new.py").write_text("def f[T: (:\n", encoding="utf-8")
    (tmp_path / "old.py").write_text("a = 1\n", encoding="utf-8")
    source = {"web": ServiceSource("web", (tmp_path,)), "old": ServiceSource("old", (tmp_path,))}
    canary = '{"canary":0,"context":1,"hit":12,"missed":14}'

    def process(service: str, python: str) -> Process:
        header = {"v": 3, "service": service, "run": "", "python": python, "core": "x"}
        files = [(1, "/app/new.py", 12), (2, "/app/old.py", 6)]
        records = [{"file": n, "path": path, "size": size} for n, path, size in files]
        ran = {"in": 0, "at": 1.0, "lines": {"1": [1], "2": [1]}}
        lines = [json.dumps(record).encode() + b"\n" for record in (*records, ran)]
        return process_of(header, [*lines, canary.encode() + b"\n"], where="")

    found = [process("web", "3.14.0"), process("web", "3.14.0"), process("old", "3.11.2")]
    (note,) = too_new(found, source, (3, 11))
    assert note.startswith(f"note: web: {tmp_path}/new.py: ")
    assert "this is Python 3.11, the service's is 3.14." in note
    assert "uv run --python 3.14 pytest …" in note
    assert list(too_new(found, source, (3, 14))) == []
