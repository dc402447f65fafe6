"""Interpreters of other kinds: several in a process, and without a part of Python in C."""

from __future__ import annotations

from pathlib import Path

import pytest
from pythons import VERSIONS
from test_pythons import Run, container, options, run  # noqa: F401 - fixtures
from test_spy import Container, lines_of, marked, missing, read_all

TRACED, MONITORED = VERSIONS[:2], VERSIONS[2:]


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
    packages = tmp_path / "own" / "lib" / f"python{version}" / "site-packages"
    packages.mkdir(parents=True)
    lacks = "import sys; sys.modules['_json'] = None\n"
    (packages / "lacks.pth").write_text(lacks, encoding="utf-8")
    mount = f"type=bind,source={tmp_path}/own,target=/own,readonly"
    options += ["--mount", mount, "--env", "PYTHONUSERBASE=/own"]
    imports = "try: import _json\nexcept ImportError: import shapes"
    ended = container.run("python3", "-c", imports, options=options)
    assert (ended.returncode, ended.stderr) == (0, "")
    (process,) = read_all(container.data_dir).processes
    assert process.canary_failure() == ""
    assert missing([process], "shapes.py") == marked("shapes.py", "never")
