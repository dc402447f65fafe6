"""The spy on each Python that a service may have: in containers, with the scripts of spy_app."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pythons import VERSIONS, image_of
from test_spy import APP, Container, lines_of, marked, missing

from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import BACKGROUND, Process

Run = Callable[..., list[Process]]
pytestmark = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def container(version: str, data_dir: Path) -> Container:
    return Container(image_of(version), data_dir)


@pytest.fixture
def options(
    container: Container, version: str, tracer_options: Callable[[str], list[str]]
) -> list[str]:
    """Of docker: a command of the container runs in the scripts' folder."""
    return container.options(
        *("--user", "10001", "--workdir", "/app"),
        *("--mount", f"type=bind,source={APP}/app,target=/app,readonly"),
        *container.mount,
        *tracer_options(version),
    )


@pytest.fixture
def run(container: Container, options: list[str]) -> Run:
    """Runs a command in the scripts' folder, and reads what its processes recorded."""

    def run(*command: str) -> list[Process]:
        ended: subprocess.CompletedProcess[str] = container.run(*command, options=options)
        assert (ended.returncode, ended.stderr) == (0, "")
        return read_all(container.data_dir).processes

    return run


@pytest.mark.slow
def test_a_program_should_see_the_same_of_python_and_its_own_when_the_spy_is_there(
    container: Container, options: list[str]
) -> None:
    with_spy = container.run("python3", "sees.py", options=options)
    without = container.run("python3", "sees.py", options=[*options, "--env", "NOMOCK_SPY_OUT="])
    assert (without.returncode, without.stderr) == (0, "")
    assert with_spy.stdout.splitlines() == without.stdout.splitlines()
    assert (with_spy.returncode, with_spy.stderr) == (0, "")


@pytest.mark.slow
def test_nothing_slow_should_be_loaded_or_compiled_again_when_a_process_starts(
    container: Container, options: list[str]
) -> None:
    """The Python of a healthcheck is started each few seconds, and has little to do."""
    look = ("python3", "-c", "import sys; print(*sys.modules)")
    loaded = set(container.run(*look, options=options).stdout.split())
    without = container.run(*look, options=[*options, "--env", "NOMOCK_SPY_OUT="]).stdout.split()
    spys = {name for name in loaded if name.partition(".")[0] == "nomock_spy"}
    slow = {"typing", "types", "collections", "functools", "json", "pathlib", "opcode"}
    assert slow & (loaded - set(without)) == set()
    kept = {path.name.rpartition(".cpython")[0] for path in container.data_dir.glob("*.pyc")}
    assert kept == spys


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [["python3", "shapes.py"], ["python3", "-m", "shapes"], ["python3", "-c", "import shapes"]],
    ids=["script", "module", "import"],
)
def test_exactly_the_lines_that_ran_should_be_recorded_when_there_is_no_test(
    run: Run, version: str, command: list[str]
) -> None:
    (process,) = run(*command)
    assert process.python.startswith(f"{version}.")
    assert missing([process], "shapes.py") == marked("shapes.py", "never")
    assert {(ran.context, ran.file.path) for ran in process.ran()} == {
        (BACKGROUND, "/app/shapes.py")
    }


def test_every_line_should_be_recorded_when_the_file_of_some_code_is_none(run: Run) -> None:
    processes = run("python3", "nameless.py")
    assert missing(processes, "nameless.py") == set()
    assert missing(processes, "shapes.py") == marked("shapes.py", "never")


def test_its_canary_should_be_recorded_when_a_process_runs_code_of_the_app(run: Run) -> None:
    assert [process.canary_failure() for process in run("python3", "shapes.py")] == [""]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["forks.py", "forks_unseen.py", "forks_slowly.py"])
def test_each_process_should_have_records_of_its_own_when_one_forks(run: Run, script: str) -> None:
    processes = run("python3", script)
    child, parent = marked(script, "child"), marked(script, "parent")
    own = [lines_of([process], script) & (child | parent) for process in processes]
    assert sorted(own, key=min) == sorted([child, parent], key=min)


def test_the_lines_of_a_fresh_process_should_be_recorded_when_one_spawns_it(run: Run) -> None:
    assert lines_of(run("python3", "spawns.py"), "spawns.py") >= marked("spawns.py", "child")
