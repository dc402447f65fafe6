"""coverage.py's tracer on the Pythons before 3.12, in real containers of images without it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import coverage
import pytest
from places import APPS, ROOT
from pythons import TracerOptions, image_of
from tiny import Tiny

from nomock.coverage.harvest import prepare
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import Process, numbers
from nomock.coverage.overlay.wheels import provide, provide_mounted
from nomock.errors import CoverageError
from nomock.loading import load
from nomock.project import resolve

ROOT = ROOT
SHAPES, APP = APPS / "spy_app/app", APPS / "tracer_app"
VERSIONS = ("3.9", "3.11")
JOBS = "tests/test_jobs.py::test_"


class Container:
    """Runs scripts of a folder in containers of an image, with the spy and a tracer beside them."""

    def __init__(self, image: str, tracer: list[str], data_dir: Path) -> None:
        self._image = image
        self.tracer = tracer
        self._data_dir = data_dir

    def run(self, app: Path, *command: str) -> subprocess.CompletedProcess[str]:
        prepare(self._data_dir)
        options = [
            *("--read-only", "--tmpfs", "/tmp", "--user", "10001", "--workdir", "/app"),
            *("--mount", f"type=bind,source={ROOT}/coverage-spy,target=/nomock-spy,readonly"),
            *("--mount", f"type=bind,source={app},target=/app,readonly"),
            *("--mount", f"type=bind,source={self._data_dir},target=/nomock-spy-data"),
            *("--env", "PYTHONPATH=/nomock-spy", "--env", "NOMOCK_SPY_SERVICE=app"),
            *("--env", "NOMOCK_SPY_OUT=/nomock-spy-data", *self.tracer),
        ]
        docker = ["docker", "run", "--rm", *options, self._image, *command]
        return subprocess.run(docker, capture_output=True, text=True, timeout=60)

    def processes(self) -> list[Process]:
        found = read_all(self._data_dir)
        assert found.damaged == 0
        return found.processes

    def ran(self, name: str) -> dict[str, set[int]]:
        """Return the lines of a file that ran, by test; those of none are ""'s."""
        tests: dict[str, set[int]] = {}
        for process in self.processes():
            for ran in process.ran():
                if ran.file.path == f"/app/{name}":
                    tests.setdefault(ran.context.test, set()).update(numbers(ran.lines))
        return tests

    def never_ran(self, path: Path) -> set[int]:
        """Return the statements that did not run, by coverage.py's reading of the source.

        That what ran are lines of the file is looked at on the way.
        """
        measured = coverage.Coverage(data_file=None, config_file=False)
        lines = set().union(*self.ran(path.name).values())
        measured.get_data().add_lines({str(path): lines})
        text = path.read_text(encoding="utf-8").splitlines()
        assert [n for n in lines if not text[n - 1 : n] or not text[n - 1].strip()] == []
        return set(measured.analysis2(str(path))[3])


@pytest.fixture(params=VERSIONS)
def container(
    request: pytest.FixtureRequest, tracer_options: TracerOptions, tmp_path: Path
) -> Container:
    version = request.param
    return Container(image_of(version), tracer_options(version), tmp_path / "coverage")


def marked(path: Path, mark: str) -> set[int]:
    """Return the lines of a file that end with a comment."""
    text = path.read_text(encoding="utf-8")
    return {n for n, line in enumerate(text.splitlines(), 1) if line.endswith(f"# {mark}")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [["shapes.py"], ["-m", "shapes"], ["-c", "import shapes"]],
    ids=["script", "module", "import"],
)
def test_exactly_the_lines_that_ran_should_be_recorded_when_the_python_is_an_old_one(
    container: Container, command: list[str]
) -> None:
    ended = container.run(SHAPES, "python3", *command)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert container.never_ran(SHAPES / "shapes.py") == marked(SHAPES / "shapes.py", "never")
    (process,) = container.processes()
    assert (process.core, process.branches) == ("coverage.py", False)
    assert process.canary_failure() == ""


@pytest.mark.slow
@pytest.mark.parametrize("script", ["forks.py", "spawns.py", "daemon.py"])
def test_every_process_should_be_recorded_when_there_are_several_or_it_closes_the_file(
    container: Container, script: str
) -> None:
    ended = container.run(SHAPES, "python3", script)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert container.never_ran(SHAPES / script) == marked(SHAPES / script, "only in a pipe")


def test_a_job_should_have_the_lines_of_its_consumer_too_when_it_is_said_whose_it_is(
    container: Container,
) -> None:
    ended = container.run(APP, "python3", "jobs.py")
    assert (ended.stdout, ended.stderr) == ("a\nb\n", "")
    ran, source = container.ran("jobs.py"), APP / "jobs.py"
    marks = {"": "in:", f"{JOBS}a": "in: a", f"{JOBS}b": "in: b"}
    every = set().union(*(marked(source, mark) for mark in marks.values()))
    assert {test: lines & every for test, lines in ran.items()} == {
        test: marked(source, mark) for test, mark in marks.items()
    }


@pytest.mark.slow
def test_a_line_should_be_recorded_when_its_test_ended_200_tests_ago(container: Container) -> None:
    ended = container.run(APP, "python3", "leftover.py")
    assert (ended.stdout, ended.stderr) == ("late\n", "")
    ran, late = container.ran("leftover.py"), marked(APP / "leftover.py", "in: leftover")
    assert len(ran) == 201
    assert {test for test, lines in ran.items() if late & lines} <= {"", f"{JOBS}0"}
    assert container.never_ran(APP / "leftover.py") == set()


def test_every_thread_should_start_and_be_recorded_when_many_do_at_once(
    container: Container,
) -> None:
    ended = container.run(APP, "python3", "crowd.py")
    assert (ended.stdout, ended.stderr) == ("1001\n", "")
    assert container.never_ran(APP / "crowd.py") == set()


def test_every_exception_should_reach_the_service_when_a_signal_handler_raises_again_and_again(
    container: Container,
) -> None:
    ended = container.run(APP, "python3", "signals.py")
    assert (ended.stdout, ended.stderr) == ("200 200\n", "")


def test_no_line_should_be_lost_or_be_anothers_when_a_signal_handler_raises_again_and_again(
    tracer_options: TracerOptions, tmp_path: Path
) -> None:
    # Not on 3.11: see nomock_spy.cores.tracers.
    container = Container(image_of("3.9"), tracer_options("3.9"), tmp_path / "coverage")
    container.run(APP, "python3", "signals.py")
    assert container.never_ran(APP / "signals.py") == set()
    assert container.never_ran(APP / "other.py") == marked(APP / "other.py", "never")


def test_it_should_be_said_once_when_the_service_has_a_trace_function(
    container: Container,
) -> None:
    ended = container.run(APP, "python3", "traced.py")
    said = "not recording in a thread for which the service has set a trace function"
    assert (ended.stdout, ended.stderr) == ("True\n", f"nomock-spy: {said}\n")


def test_the_service_should_not_find_a_coverage_py_when_the_spy_has_its_tracer(
    container: Container,
) -> None:
    script = "import sys; print([name for name in sys.modules if name.startswith('coverage')])"
    ended = container.run(APP, "python3", "-c", f"{script}; import coverage")
    assert ended.stdout == "[]\n"
    assert ended.stderr.endswith("ModuleNotFoundError: No module named 'coverage'\n")


def test_exactly_the_lines_that_ran_should_be_recorded_when_greenlets_switch(
    server_image: Callable[[str], str], tracer_options: TracerOptions, tmp_path: Path
) -> None:
    container = Container(server_image("3.11"), tracer_options("3.11"), tmp_path / "coverage")
    ended = container.run(APP, "python3", "greenlets.py")
    assert (ended.stdout, ended.stderr) == ("end\n", "")
    for name in ("greenlets.py", "other.py"):
        assert container.never_ran(APP / name) == marked(APP / name, "never")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (None, "there is no coverage.py beside the spy: run nomock overlay"),
        (("cp311", "glibc"), "the coverage.py beside the spy is another Python's: it has tracer."),
        # Both are called tracer.cpython-39-….so.
        (("cp39", "musl"), "libc.musl"),
    ],
    ids=["none", "another Python's", "another C library's"],
)
def test_the_service_should_run_and_the_reason_be_known_when_the_tracer_is_not_for_its_python(
    tmp_path: Path, kind: tuple[str, str] | None, seen: str
) -> None:
    options = []
    if kind is not None:
        folder = tmp_path / "wheels" / kind[0]
        provide(*kind, platform.machine(), folder)
        options = ["--mount", f"type=bind,source={folder},target=/nomock-spy-wheels,readonly"]
        options += ["--env", "NOMOCK_SPY_WHEELS=/nomock-spy-wheels"]
    container = Container(image_of("3.9"), options, tmp_path / "coverage")
    ended = container.run(SHAPES, "python3", "shapes.py")
    (process,) = container.processes()
    reason = process.unsupported
    assert reason.startswith(f"Python {process.python} has no sys.monitoring, and {seen}")
    assert (ended.returncode, ended.stderr) == (0, f"nomock-spy: not recording: {reason}\n")
    assert process.canary_failure() == reason


@pytest.mark.slow
def test_a_tracer_should_be_provided_once_when_several_want_it_at_once(tmp_path: Path) -> None:
    folder = tmp_path / ".nomock/spy-wheels/cp311-glibc-x86_64"
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: provide("cp311", "glibc", "x86_64", folder), range(3)))
    before = folder.stat()
    provide("cp311", "glibc", "x86_64", folder)
    assert (folder.stat().st_ino, folder.stat().st_mtime) == (before.st_ino, before.st_mtime)
    assert [path.name for path in (folder / "coverage").iterdir()] == [
        "tracer.cpython-311-x86_64-linux-gnu.so"
    ]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.slow
def test_a_tracer_should_be_replaced_when_it_is_of_another_version(tmp_path: Path) -> None:
    folder = tmp_path / "wheels/cp39"
    old = folder / "coverage/tracer.old.so"
    old.parent.mkdir(parents=True)
    old.touch()
    (folder / "coverage-1.0.dist-info").mkdir()
    provide("cp39", "glibc", "x86_64", folder)
    assert not old.exists()
    assert len(list((folder / "coverage").iterdir())) == 1


def test_it_should_be_said_what_is_missing_when_no_tracer_is_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of pip, and of uv where the environment has no pip.
    for name in ("PIP_NO_INDEX", "UV_OFFLINE", "UV_NO_CACHE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    folder = tmp_path / "wheels/cp39"
    with pytest.raises(CoverageError) as raised:
        provide("cp39", "musl", "aarch64", folder)
    error = raised.value
    assert error.what == "coverage.py's tracer for Python 3.9, musl, aarch64 is not to be had"
    assert error.where == str(folder)
    assert "coverage==" in error.seen
    assert not folder.exists()


PROVIDE = """
import sys
from pathlib import Path
from nomock.errors import CoverageError
from nomock.coverage.overlay.wheels import provide
try:
    provide("cp310", "glibc", "x86_64", Path(sys.argv[1]))
except CoverageError as error:
    sys.exit(str(error))
"""


def provided(bin_: Path, folder: Path, **environ: str) -> str:
    """Provide a tracer in an environment of uv that has no pip; return what went wrong."""
    python = bin_ / "python"
    assert not list(bin_.glob("pip*")) and not list(bin_.glob("uv*"))
    path = {"PATH": str(folder.parent / "nothing"), **environ}
    done = subprocess.run(
        [python, "-c", PROVIDE, folder], env={**os.environ, **path}, capture_output=True, text=True
    )
    return done.stderr.strip()


@pytest.mark.slow
def test_a_tracer_should_be_provided_when_there_is_neither_pip_nor_uv(
    wheel_bin: Path, tmp_path: Path
) -> None:
    folder = tmp_path / ".nomock/spy-wheels/cp310-glibc-x86_64"
    assert provided(wheel_bin, folder) == ""
    assert [path.name for path in (folder / "coverage").iterdir()] == [
        "tracer.cpython-310-x86_64-linux-gnu.so"
    ]


def test_the_cure_should_be_to_install_pip_when_python_carries_none_either(
    wheel_bin: Path, tmp_path: Path
) -> None:
    """As Debian's, whose ensurepip is a package of its own."""
    (tmp_path / "ensurepip.py").touch()
    folder = tmp_path / ".nomock/spy-wheels/cp310-glibc-x86_64"
    assert provided(wheel_bin, folder, PYTHONPATH=str(tmp_path)) == (
        f"{folder}: coverage.py's tracer for Python 3.10, glibc, x86_64 is not to be had\n"
        "  there is neither pip nor uv here\n"
        "-> install pip in this environment: uv pip install pip, or python -m ensurepip; or copy "
        "the folder from a machine that has it"
    )


def test_it_should_be_said_what_is_missing_when_nothing_is_compiled_for_a_processor(
    tmp_path: Path,
) -> None:
    with pytest.raises(CoverageError) as raised:
        provide("cp311", "glibc", "s390x", tmp_path / "wheels/cp311")
    assert raised.value.seen == "there is none compiled for it"


def test_the_tracers_that_an_overlay_mounts_should_be_provided_when_the_folder_is_not_there(
    tiny: Tiny,
) -> None:
    source = "./.nomock/spy-wheels/cp310-musl-aarch64"
    mount = {"type": "bind", "source": source, "target": "/nomock-spy-wheels"}
    environment = {"NOMOCK_SPY_WHEELS": mount["target"]}
    old = {"image": "none", "environment": environment, "volumes": [mount]}
    tiny.compose(old=old, new={"image": "none"})
    provide_mounted(resolve(load(tiny.path, {})))
    assert len(list((tiny.path / source / "coverage").glob("tracer.*.so"))) == 1
