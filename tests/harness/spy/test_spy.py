"""The spy in real containers: an image that knows nothing of it, the folder mounted beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest
from places import APPS, ROOT
from tiny import IMAGE as PYTHON_IMAGE

from nomock.coverage.harvest import ServiceSource, harvest, report
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import Process, numbers

ROOT = ROOT
SPY = ROOT / "coverage-spy"
APP = APPS / "spy_app"
IMAGE = f"nomock-test-spy-{os.getpid()}"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    build_arg = f"PYTHON_IMAGE={PYTHON_IMAGE}"
    build = ["docker", "build", "--quiet", "--tag", IMAGE, "--build-arg", build_arg, str(APP)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    yield IMAGE
    subprocess.run(["docker", "image", "rm", "--force", IMAGE], check=True, capture_output=True)


@dataclass(frozen=True)
class Container:
    """Runs commands in containers of the image with the spy beside them."""

    image: str
    data_dir: Path

    def options(self, *more: str, spy: Path = SPY) -> list[str]:
        return [
            *("--read-only", "--tmpfs", "/tmp"),
            *("--mount", f"type=bind,source={spy},target=/nomock-spy,readonly"),
            *("--env", "PYTHONPATH=/nomock-spy"),
            *("--env", "NOMOCK_SPY_SERVICE=app"),
            *("--env", "NOMOCK_SPY_OUT=/nomock-spy-data"),
            *more,
        ]

    @property
    def mount(self) -> tuple[str, str]:
        return ("--mount", f"type=bind,source={self.data_dir},target=/nomock-spy-data")

    def run(
        self, *command: str, options: list[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        chosen = self.options(*self.mount) if options is None else options
        return subprocess.run(
            ["docker", "run", "--rm", *chosen, self.image, *command],
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def container(image: str, data_dir: Path) -> Container:
    return Container(image, data_dir)


def lines_of(processes: list[Process], name: str) -> set[int]:
    return {
        line
        for process in processes
        for ran in process.ran()
        if ran.file.path == f"/app/{name}"
        for line in numbers(ran.lines)
    }


def marked(name: str, mark: str) -> set[int]:
    """Return the lines of a file of the app that end with a comment."""
    text = (APP / "app" / name).read_text(encoding="utf-8")
    return {n for n, line in enumerate(text.splitlines(), 1) if line.endswith(f"# {mark}")}


def missing(processes: list[Process], name: str) -> set[int]:
    """Return the statements that did not run, by coverage.py's reading of the source."""
    measured = coverage.Coverage(data_file=None, config_file=False)
    path = str(APP / "app" / name)
    measured.get_data().add_lines({path: lines_of(processes, name)})
    return set(measured.analysis2(path)[3])


@pytest.mark.parametrize(
    "command",
    [
        ["python3", "/app/shapes.py"],
        ["python3", "shapes.py"],
        ["python3", "-m", "shapes"],
        ["python3", "-c", "import shapes"],
        ["python3", "-c", "import runpy; runpy.run_path('/app/shapes.py')"],
    ],
    ids=["script", "relative script", "module", "import", "run_path"],
)
def test_exactly_the_lines_that_ran_should_be_recorded_when_code_is_started_in_any_way(
    container: Container, command: list[str]
) -> None:
    ended = container.run(*command)
    assert (ended.returncode, ended.stderr) == (0, "")
    processes = read_all(container.data_dir).processes
    assert missing(processes, "shapes.py") == marked("shapes.py", "never")
    assert {file.path for p in processes for file in p.app_files()} == {"/app/shapes.py"}


def test_the_app_should_be_told_from_packages_when_it_lies_beside_pythons_own_files(
    container: Container,
) -> None:
    # /usr is Debian's sys.prefix.
    mount = ("--mount", f"type=bind,source={APP}/app,target=/usr/src/app,readonly")
    ended = container.run(
        *("python3", "/usr/src/app/shapes.py"), options=container.options(*container.mount, *mount)
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    recorded = {file.path for p in read_all(container.data_dir).processes for file in p.app_files()}
    assert recorded == {"/usr/src/app/shapes.py"}


@pytest.mark.parametrize(
    ("roots", "expected"),
    [("/elsewhere:/app/", {"/app/shapes.py"}), ("/elsewhere", set()), ("/ap", set())],
)
def test_only_files_below_the_roots_should_be_recorded_when_roots_are_given(
    container: Container, roots: str, expected: set[str]
) -> None:
    options = container.options(*container.mount, "--env", f"NOMOCK_SPY_ROOTS={roots}")
    assert container.run("python3", "shapes.py", options=options).returncode == 0
    (process,) = read_all(container.data_dir).processes
    assert {file.path for file in process.app_files()} == expected


def test_everybody_should_be_able_to_read_the_records_when_the_service_hides_its_files(
    container: Container,
) -> None:
    ended = container.run("sh", "-c", "umask 077; exec python3 shapes.py")
    assert (ended.returncode, ended.stderr) == (0, "")
    (path,) = container.data_dir.glob("*.ndjson")
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.fixture
def server(container: Container) -> Iterator[tuple[str, Callable[..., bytes]]]:
    """A server in a container: its id, and a function that asks it for a path."""
    command = ["docker", "run", "--detach", "--publish", "127.0.0.1::8000"]
    command += [*container.options(*container.mount), container.image, "python3", "server.py"]
    id_ = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        follow = ["docker", "logs", "--follow", id_]
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as logs:
            assert logs.stdout is not None
            assert logs.stdout.readline() == "ready\n"
            logs.terminate()
        port = ["docker", "port", id_, "8000"]
        address = subprocess.run(port, check=True, capture_output=True, text=True).stdout.strip()

        def ask(path: str, baggage: str = "") -> bytes:
            headers = {"baggage": baggage} if baggage else {}
            asked = urllib.request.Request(f"http://{address}{path}", headers=headers)
            with urllib.request.urlopen(asked, timeout=10) as reply:
                return bytes(reply.read())

        yield id_, ask
    finally:
        subprocess.run(["docker", "rm", "--force", id_], check=True, capture_output=True)


def test_a_line_should_be_on_disk_when_its_response_arrives_and_after_kill_9(
    container: Container, server: tuple[str, Callable[[str], bytes]]
) -> None:
    id_, ask = server
    cat, dog = marked("server.py", "only on /cat"), marked("server.py", "only on /dog")
    assert not lines_of(read_all(container.data_dir).processes, "server.py") & (cat | dog)

    assert ask("/cat") == b"cat"
    while_it_runs = lines_of(read_all(container.data_dir).processes, "server.py")
    assert while_it_runs & (cat | dog) == cat

    assert ask("/dog") == b"dog"
    subprocess.run(["docker", "kill", "--signal", "KILL", id_], check=True, capture_output=True)
    processes = read_all(container.data_dir).processes
    assert lines_of(processes, "server.py") & (cat | dog) == cat | dog
    assert [p.damaged for p in processes] == [0]


def test_a_tests_lines_should_be_recorded_once_more_when_it_comes_in_another_run(
    container: Container, server: tuple[str, Callable[..., bytes]]
) -> None:
    for run in ("0a0a0a0a", "0b0b0b0b", "0b0b0b0b"):
        server[1]("/cat", f"nomock.test=test_a.py%3A%3Atest_cat,nomock.run={run}")
    (path,) = container.data_dir.glob("*.ndjson")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    known = [r["context"] for r in records if r.get("test") == "test_a.py::test_cat"]
    assert len(known) == 2
    first, second = ([r["lines"] for r in records if r.get("in") == number] for number in known)
    assert first == second != []


def test_harvest_should_give_the_lines_of_the_host_files_when_the_service_still_runs(
    container: Container, server: tuple[str, Callable[[str], bytes]], tmp_path: Path
) -> None:
    server[1]("/cat")
    found = harvest(container.data_dir, {"app": ServiceSource("app", (APP,))})
    assert found.failures == ()
    (row,) = found.services
    assert (row.name, row.files) == ("app", len(list((APP / "app").glob("*.py"))))
    data = coverage.CoverageData(str(found.data_file))
    data.read()
    assert set(data.lines(str(APP / "app/server.py")) or []) >= marked("server.py", "only on /cat")

    first_page = report(found, APP, tmp_path / "coverage-report")
    assert "server.py" in first_page.read_text(encoding="utf-8")
    assert "server.py" in (tmp_path / "coverage-report/coverage.xml").read_text(encoding="utf-8")


def test_each_process_should_have_a_file_of_its_own_when_a_service_forks(
    container: Container,
) -> None:
    ended = container.run("python3", "forks.py")
    assert (ended.returncode, ended.stderr) == (0, "")
    processes = read_all(container.data_dir).processes
    inside = marked("forks.py", "child"), marked("forks.py", "parent")
    assert len(processes) == 2
    assert sorted(
        [lines_of([p], "forks.py") & (inside[0] | inside[1]) for p in processes], key=min
    ) == sorted(inside, key=min)


def test_the_lines_of_a_fresh_process_should_be_recorded_when_a_service_spawns_one(
    container: Container,
) -> None:
    ended = container.run("python3", "spawns.py")
    assert (ended.returncode, ended.stderr) == (0, "")
    recorded = lines_of(read_all(container.data_dir).processes, "spawns.py")
    assert recorded >= marked("spawns.py", "child")


def test_nothing_should_be_written_to_what_the_service_opened_when_it_had_closed_our_file(
    container: Container,
) -> None:
    ended = container.run("python3", "daemon.py")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
    processes = read_all(container.data_dir).processes
    assert lines_of(processes, "daemon.py") >= marked("daemon.py", "after")
    # The canary was in the first file, and is not missed in the other.
    assert {process.goes_on for process in processes} == {False, True}
    assert [process.canary_failure() for process in processes] == ["", ""]


def test_nothing_should_be_recorded_or_loaded_when_the_switch_is_off(container: Container) -> None:
    look = "import sys; print([m for m in sys.modules if m.startswith('nomock')])"
    options = container.options(*container.mount, "--env", "NOMOCK_SPY_OUT=")
    ended = container.run("python3", "-c", look, options=options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")
    assert {path.name for path in container.data_dir.iterdir()} == {"run"}


@pytest.mark.parametrize("out", ["/nomock-spy-data", ""], ids=["spy on", "spy off"])
def test_modules_should_be_looked_for_in_the_same_places_when_the_spy_is_mounted(
    container: Container, out: str
) -> None:
    look = "import sys; print(sys.path)"
    options = container.options(*container.mount, "--env", f"NOMOCK_SPY_OUT={out}")
    without = container.run("env", "-u", "PYTHONPATH", "python3", "-c", look, options=options)
    assert container.run("python3", "-c", look, options=options).stdout == without.stdout


@pytest.mark.parametrize("out", ["/nomock-spy-data", ""], ids=["spy on", "spy off"])
def test_the_images_own_sitecustomize_should_run_when_ours_is_found_first(
    container: Container, out: str
) -> None:
    path = ("--env", "PYTHONPATH=/nomock-spy:/own", "--env", f"NOMOCK_SPY_OUT={out}")
    options = container.options(*container.mount, *path)
    look = "import sys; print(sys.modules['sitecustomize'].__file__)"
    ended = container.run("python3", "-c", look, options=options)
    expected = "the image's own sitecustomize ran\n/own/sitecustomize.py\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, expected, "")


@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        (lambda c: [], "No such file or directory"),
        (lambda c: [*c.mount[:1], c.mount[1] + ",readonly"], "Read-only file system"),
        (lambda c: ["--tmpfs", "/nomock-spy-data:mode=700,uid=0"], "Permission denied"),
        (
            lambda c: ["--tmpfs", "/nomock-spy-data:size=1m,mode=777"],
            "No space left on device",
        ),
    ],
    ids=["missing", "read-only", "not ours", "full after a while"],
)
def test_the_service_should_run_and_say_one_line_when_the_data_cannot_be_written(
    container: Container, mount: Callable[[Container], list[str]], reason: str
) -> None:
    many_lines = "exec(compile('x = 1\\n' * 40_000, '/app/long.py', 'exec'))"
    options = container.options(*mount(container))
    ended = container.run("python3", "-c", many_lines, options=options)
    said = f"nomock-spy: not recording: cannot write to /nomock-spy-data: {reason}\n"
    assert (ended.returncode, ended.stderr) == (0, said)


@pytest.mark.slow
@pytest.mark.parametrize("error", ["SystemExit(3)", "ValueError('broken')"])
@pytest.mark.parametrize(
    ("module", "before"),
    [
        ("__init__.py", "def start"),
        ("cores/monitoring.py", "            for tool_id in _TOOL_IDS"),
        ("cores/monitoring.py", "                    seen = context.lines"),
        ("cores/appcode.py", "            code = arguments[0]"),
        ("writer.py", "            self._ours().ran(context"),
    ],
)
def test_the_service_should_run_when_the_spy_is_broken(
    container: Container, tmp_path: Path, module: str, before: str, error: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(SPY, broken, ignore=shutil.ignore_patterns("__pycache__"))
    path = broken / "nomock_spy" / module
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    indent = " " * (len(before) - len(before.lstrip()))
    path.write_text(text.replace(before, f"{indent}raise {error}\n{before}"), encoding="utf-8")
    options = container.options(*container.mount, spy=broken)
    ended = container.run("python3", "shapes.py", options=options)
    assert ended.returncode == 0
    assert ended.stderr.startswith("nomock-spy: ")
    assert error in ended.stderr
    # And to the harvest, whatever it is.
    processes = read_all(container.data_dir).processes
    told = [why for p in processes for why in (*p.lost, p.unsupported) if error in why]
    assert told


def test_what_a_signal_handler_raises_should_reach_the_service_when_it_runs_inside_the_spy(
    container: Container,
) -> None:
    ended = container.run("python3", "signalled.py")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "raised 30, caught 30\n", "")


def test_the_spy_should_record_or_say_why_not_when_the_python_is_the_one_of_this_machine(
    data_dir: Path,
) -> None:
    spied = {"PYTHONPATH": str(SPY), "NOMOCK_SPY_OUT": str(data_dir), "NOMOCK_SPY_SERVICE": "app"}
    command = [sys.executable, str(APP / "app/shapes.py")]
    ended = subprocess.run(command, env={**os.environ, **spied}, capture_output=True, text=True)
    assert ended.returncode == 0
    found = harvest(data_dir, {"app": ServiceSource("app", (APP,))})
    if sys.version_info >= (3, 12):
        assert ended.stderr == ""
        assert found.failures == ()
    else:
        version = sys.version.split()[0]
        todo = "there is no coverage.py beside the spy: run nomock overlay"
        reason = f"Python {version} has no sys.monitoring, and {todo}"
        assert ended.stderr == f"nomock-spy: not recording: {reason}\n"
        (failure,) = found.failures
        assert reason in str(failure)
