"""Branches on Python 3.14, against coverage.py's own in the same container."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import APPS
from pythons import image_of
from serving import SET_UPS, SOURCES, SPY, serving
from tiny import docker

from nomock.coverage.harvest import Harvest, ServiceSource, harvest, prepare, report
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import Arc

APP = APPS / "branch_app"
Report = dict[str, Any]


@dataclass(frozen=True)
class Spied:
    """Runs scripts of the app with the spy beside them, as a service."""

    data_dir: Path
    spy: Path = SPY

    def run(self, script: str, version: str = "3.14", service: str = "app") -> str:
        """Return what a script says on stderr."""
        done = subprocess.run(
            [
                *("docker", "run", "--rm", "--network", "none"),
                *("--mount", f"type=bind,source={APP},target=/app,readonly"),
                *("--mount", f"type=bind,source={self.spy},target=/nomock-spy,readonly"),
                *("--mount", f"type=bind,source={self.data_dir},target=/nomock-spy-data"),
                *("--env", "PYTHONPATH=/nomock-spy", "--env", f"NOMOCK_SPY_SERVICE={service}"),
                *("--env", "NOMOCK_SPY_OUT=/nomock-spy-data"),
                *(image_of(version), "python3", f"/app/{script}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def harvested(self, *services: str) -> Harvest:
        return harvest(self.data_dir, {name: ServiceSource(name, (APP,)) for name in services})

    def report(self, *services: str) -> Report:
        """Return what coverage.py's JSON says of the app's files."""
        out = self.data_dir.parent / "report"
        report(self.harvested(*services), APP, out)
        return files_of(out / "coverage.json")


def files_of(file: Path) -> Report:
    files: Report = json.loads(file.read_text(encoding="utf-8"))["files"]
    return {Path(name).name: of_file for name, of_file in files.items()}


@pytest.fixture(scope="module")
def coverage_py(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the coverage.py of Python 3.14."""
    folder = tmp_path_factory.mktemp("coverage")
    subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "install", "--quiet"),
            *("--python-version", "3.14", "--python-platform", "linux"),
            *("--target", folder, "--only-binary", ":all:", "coverage>=7.17"),
        ],
        check=True,
    )
    return folder


def by_coverage_py(coverage_py: Path, core: str, script: str, out: Path) -> Report:
    """Return what coverage.py itself reports of a script on Python 3.14."""
    out.mkdir()
    out.chmod(0o777)
    run = f"python3 -m coverage run --branch --source=/app --data-file=/out/data /app/{script}"
    say = "python3 -m coverage json --quiet --data-file=/out/data -o /out/coverage.json"
    docker(
        *("run", "--rm", "--network", "none", "--env", "PYTHONPATH=/coverage"),
        *("--mount", f"type=bind,source={APP},target=/app,readonly"),
        *("--mount", f"type=bind,source={coverage_py},target=/coverage,readonly"),
        *("--mount", f"type=bind,source={out},target=/out"),
        *("--env", f"COVERAGE_CORE={core}", image_of("3.14"), "sh", "-ec", f"{run}; {say}"),
    )
    return files_of(out / "coverage.json")


@pytest.mark.slow
@pytest.mark.parametrize("core", ["sysmon", "ctrace"])
def test_branches_and_lines_should_be_those_of_coverage_py_when_a_file_has_every_shape(
    data_dir: Path, coverage_py: Path, tmp_path: Path, core: str
) -> None:
    spied = Spied(data_dir)
    assert spied.run("shapes.py") == ""
    ours = spied.report("app")["shapes.py"]
    theirs = by_coverage_py(coverage_py, core, "shapes.py", tmp_path / "out")["shapes.py"]
    for key in ("executed_lines", "missing_lines", "executed_branches", "missing_branches"):
        assert ours[key] == theirs[key], key
        assert ours[key], f"the file shows nothing of {key}"


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.13", "3.14"])
def test_branches_and_lines_should_be_those_of_coverage_py_when_code_is_made_or_replaced(
    data_dir: Path, coverage_py: Path, tmp_path: Path, version: str
) -> None:
    spied = Spied(data_dir)
    assert spied.run("replaced.py", version) == ""
    ours = spied.report("app")["replaced.py"]
    theirs = by_coverage_py(coverage_py, "ctrace", "replaced.py", tmp_path / "out")["replaced.py"]
    branches = ("executed_branches", "missing_branches") if version == "3.14" else ()
    for key in ("executed_lines", "missing_lines", *branches):
        assert ours[key] == theirs[key], key


def test_each_way_should_be_its_tests_own_when_events_were_switched_off_before(
    data_dir: Path,
) -> None:
    assert Spied(data_dir).run("jobs.py") == ""
    less, more = (7, 8), (7, 9)
    assert taken(data_dir, {less, more}) == {
        "": set(),
        "test_jobs.py::test_less_then_more": {less, more},
        "test_jobs.py::test_more": {more},
        "test_jobs.py::test_less": {less},
        "test_jobs.py::test_more_then_less": {less, more},
    }


def taken(data_dir: Path, of: set[Arc]) -> dict[str, set[Arc]]:
    """Return which of the arcs were taken, by test."""
    by_test = defaultdict(set)
    (process,) = read_all(data_dir).processes
    for ran in process.ran():
        by_test[ran.context.test] |= set(ran.arcs) & of
    return by_test


def test_each_way_should_be_its_tests_own_when_many_are_served_at_once(data_dir: Path) -> None:
    assert Spied(data_dir).run("crowd.py") == ""
    lines = {9: 1, 11: 2, 13: 4, 15: 8}  # of the conditions, and the bit that each looks at
    there = {line: (line, line + 1) for line in lines}
    past = {line: (line, line + 2) for line in lines}
    expected = {
        f"test_crowd.py::test_{bits}": {
            there[line] if bits & bit else past[line] for line, bit in lines.items()
        }
        for bits in range(16)
    }
    assert taken(data_dir, {*there.values(), *past.values()}) == {"": set(), **expected}


def test_its_branches_should_be_on_disk_when_a_tests_response_arrives(
    server_image: Callable[[str], str], tmp_path: Path
) -> None:
    set_up, data_dir, test = SET_UPS["uvicorn"], tmp_path / "coverage", "test_a.py::test_steps"
    app = (SOURCES / "app" / set_up.file).read_text(encoding="utf-8").splitlines()
    (loop,) = (n for n, line in enumerate(app, 1) if line.startswith("    for part in"))
    inner, after = loop + 2, loop + 5
    with serving(server_image("3.14"), set_up, data_dir) as server:
        assert server.get("/steps/alone/1/1/0.5", test).status == 200
        there_and_on = {(loop, loop + 1), (loop, after), (inner, inner + 1), (inner, loop)}
        ways = {(a, b) for a in (loop, inner) for b in range(1, len(app))}
        assert taken(data_dir, ways)[test] == there_and_on


def test_lines_should_be_recorded_and_one_line_be_said_when_branches_cannot_be_understood(
    data_dir: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(SPY, broken, ignore=shutil.ignore_patterns("__pycache__"))
    path = broken / "nomock_spy/branches.py"
    text = path.read_text(encoding="utf-8")
    begin = "        self._operations = "
    assert text.count(begin) == 1
    path.write_text(text.replace(begin, f"        raise SystemExit(3)\n{begin}"), encoding="utf-8")
    said = Spied(data_dir, broken).run("shapes.py")
    assert said == "nomock-spy: lost something that ran: SystemExit(3)\n"
    lines = Spied(data_dir).report("app")["shapes.py"]["executed_lines"]

    whole = Spied(tmp_path / "whole")
    prepare(whole.data_dir)
    whole.run("shapes.py")
    assert lines == whole.report("app")["shapes.py"]["executed_lines"]


def test_lines_alone_should_be_reported_and_the_service_be_named_when_one_python_has_no_branches(
    data_dir: Path,
) -> None:
    spied = Spied(data_dir)
    for service, version in (("new", "3.14"), ("old", "3.13")):
        assert spied.run("jobs.py", version, service) == ""
    headers = {p.service: (p.branches, p.python) for p in read_all(data_dir).processes}
    assert headers["new"][0] and not headers["old"][0]
    python = headers["old"][1]
    (note,) = spied.harvested("new", "old").notes
    assert note == f"branches are off: sys.monitoring of Python {python} tells none (old)"
    assert "missing_branches" not in spied.report("new", "old")["jobs.py"]
    assert spied.harvested("new").notes == ()
    assert spied.report("new")["jobs.py"]["missing_branches"] == []
