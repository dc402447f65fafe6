"""Interpreters of other kinds: several in a process, and without a part of Python in C."""

from __future__ import annotations

from pathlib import Path

import pytest
from pythons import VERSIONS
from test_pythons import Run, container, options, run  # noqa: F401 - fixtures
from test_spy import Container, lines_of, marked, missing, read_all

TRACED, MONITORED = VERSIONS[:2], VERSIONS[2:]


def other_from_its_start(folder: Path, version: str, change: str) -> list[str]:
    """Return options of docker, by which a Python does something before the spy is there."""
    packages = folder / "own" / "lib" / f"python{version}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "change.pth").write_text(f"import sys; {change}\n", encoding="utf-8")
    mount = f"type=bind,source={folder}/own,target=/own,readonly"
    return ["--mount", mount, "--env", "PYTHONUSERBASE=/own"]


@pytest.mark.parametrize("version", MONITORED)
def test_each_interpreter_should_have_records_of_its_own_when_a_process_has_several(
    run: Run,  # noqa: F811 - the fixture
    version: str,
) -> None:
    processes = run("python3", "interpreters.py")
    # The one of the pool runs no line of the app.
    assert len(processes) == (3 if version == "3.14" else 2)
    assert {process.canary_failure() for process in processes} == {""}
    assert len({process.pid for process in processes}) == 1
    inside = [process for process in processes if lines_of([process], "shapes.py")]
    assert len(inside) == 1
    assert missing(inside, "shapes.py") == marked("shapes.py", "never")
    assert not lines_of(inside, "interpreters.py")


@pytest.mark.parametrize("version", TRACED)
def test_the_other_interpreters_should_be_told_of_when_the_tracer_works_in_one(
    container: Container,  # noqa: F811 - the fixture
    options: list[str],  # noqa: F811 - the fixture
) -> None:
    ended = container.run("python3", "interpreters.py", options=options)
    first, other = sorted(read_all(container.data_dir).processes, key=lambda p: p.unsupported)
    assert lines_of([first], "interpreters.py") >= marked("interpreters.py", "traced")
    assert other.unsupported.endswith(
        "has no sys.monitoring, and coverage.py's tracer works in one interpreter of a process only"
    )
    said = f"nomock-spy: not recording: {other.unsupported}\n"
    assert (ended.returncode, ended.stderr) == (0, said)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_line_should_be_recorded_when_python_has_no_json_in_c(
    container: Container,  # noqa: F811 - the fixture
    options: list[str],  # noqa: F811 - the fixture
    version: str,
    tmp_path: Path,
) -> None:
    options += other_from_its_start(tmp_path, version, "sys.modules['_json'] = None")
    imports = "try: import _json\nexcept ImportError: import shapes"
    ended = container.run("python3", "-c", imports, options=options)
    assert (ended.returncode, ended.stderr) == (0, "")
    (process,) = read_all(container.data_dir).processes
    assert process.canary_failure() == ""
    assert missing([process], "shapes.py") == marked("shapes.py", "never")


@pytest.mark.parametrize("version", MONITORED)
def test_lines_should_be_recorded_and_a_note_be_there_when_python_runs_without_the_gil(
    container: Container,  # noqa: F811 - the fixture
    options: list[str],  # noqa: F811 - the fixture
    version: str,
    tmp_path: Path,
) -> None:
    options += other_from_its_start(tmp_path, version, "sys._is_gil_enabled = lambda: False")
    ended = container.run("python3", "shapes.py", options=options)
    (process,) = read_all(container.data_dir).processes
    assert missing([process], "shapes.py") == marked("shapes.py", "never")
    told = "lines that two threads ran at once: this Python runs without the GIL"
    assert process.lost == [told]
    assert (ended.returncode, ended.stderr) == (0, f"nomock-spy: {told}\n")
