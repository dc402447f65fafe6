"""The own tests of some packages: plain, under the spy, and under coverage.py with its C tracer.

Figures (issue 11): the outcomes are the same, and no line of a package that coverage.py sees is
missed by the spy. The packages are fetched as source distributions, which hold their tests, into a
folder that is removed again. A line that only one of the two has may be of the clock or of chance,
such as what a slow test waits for: so where there is one, the two are run once more, and each such
line is printed with whether it was one again.

``--python`` is any Python that nomock supports, this one without it; ``--image`` runs the Python of
an image in containers, with nothing but these folders in them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import coverage

from nomock.coverage.harvest import prepare
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import numbers
from nomock.coverage.overlay.wheels import provide

ROOT = Path(__file__).parents[1]
SPY = ROOT / "coverage-spy"
BENCH = ROOT / "bench" / "spy" / "suites"
SUBJECTS = ("plain", "spied", "ctrace")
MOST_PRINTED = 20
Lines = set[tuple[str, int]]
"""Statements that ran: the file, in the folder of its package, and the line."""


@dataclass(frozen=True)
class Suite:
    """A package, and how its tests are run."""

    name: str
    version: str
    source: str
    """Where the package lies in its source distribution: its tests run without it there."""
    needs: tuple[str, ...] = ()
    """What they need, beside pytest and what the package needs itself."""
    arguments: tuple[str, ...] = ("tests",)
    """Of pytest."""


SUITES = (
    Suite("attrs", "26.1.0", "src", ("hypothesis",), ("tests", "--hypothesis-seed=0")),
    Suite("click", "8.5.1", "src"),
    Suite("jinja2", "3.1.6", "src", ("trio",)),
    Suite("mistune", "3.4.0", "src"),
    Suite("parso", "0.8.7", "parso", (), ("test",)),
    Suite("sqlparse", "0.6.1", "sqlparse"),
    Suite(
        "trio",
        "0.35.0",
        "src",
        ("trustme", "pyopenssl"),
        ("-ptrio._tests.pytest_plugin", "--skip-optional-imports", "--pyargs", "trio"),
    ),
    Suite("typeguard", "4.6.1", "src"),
)


@dataclass(frozen=True)
class Python:
    """A Python of this machine, or of an image."""

    path: str
    image: str = ""

    def command(self, folder: Path, work_dir: Path, environ: dict[str, str]) -> list[str]:
        """Return what is before its path in a command for what is in a folder."""
        words = [f"{name}={value}" for name, value in environ.items()]
        if not self.image:
            return ["env", "-C", str(work_dir), *words]
        run = ["docker", "run", "--rm", "--init", "--user", f"{os.getuid()}:{os.getgid()}"]
        # Under the same names there, so that what was recorded need not be renamed.
        run += ["--volume", f"{folder}:{folder}", "--workdir", str(work_dir)]
        for part in (SPY, BENCH):
            run += ["--volume", f"{part}:{part}:ro"]
        for word in words:
            run += ["--env", word]
        return [*run, self.image]

    def version(self) -> str:
        """Return it: 3.13."""
        look = "import sys; print('%d.%d' % sys.version_info[:2])"
        command = [self.path, "-c", look]
        if self.image:
            command = ["docker", "run", "--rm", self.image, *command]
        return _said(command).strip()


@dataclass(frozen=True)
class Ran:
    """What a run of a package's tests came to."""

    cpu_s: float
    outcomes: dict[str, str]
    """By the test's name."""
    lines: Lines


class Bench:
    """Fetches packages into a folder, and runs their tests there."""

    def __init__(self, python: Python, folder: Path) -> None:
        self._python = python
        self._version = python.version()
        self._folder = folder

    def run(self, suite: Suite) -> None:
        """Run one package's tests in each way, and print a line of the table, and what differs."""
        place = self._fetch(suite)
        # As in an image, so that the first run does not pay for it.
        compiles = self._python.command(self._folder, place, {})
        folders = [str(place / name) for name in ("app", "site-packages")]
        _said([*compiles, self._python.path, "-m", "compileall", "-q", *folders])
        ran = {name: self._run_tests(suite, place, name) for name in SUBJECTS}
        statements = {
            (file, line)
            for path in _sources(place / "app")
            for file, line in _statements(place / "app", path)
        }
        plain, spied, ctrace = (ran[name] for name in SUBJECTS)
        missed, only = ctrace.lines - spied.lines, spied.lines - ctrace.lines
        names = plain.outcomes.keys() | spied.outcomes.keys()
        other = {n for n in names if plain.outcomes.get(n) != spied.outcomes.get(n)}
        print(
            f"{suite.name:<10} {len(plain.outcomes):>6} {len(statements):>10} "
            f"{len(ctrace.lines):>7} {len(missed):>7} {len(only):>9} {len(other):>8} "
            f"{spied.cpu_s / plain.cpu_s:>7.2f} {ctrace.cpu_s / plain.cpu_s:>7.2f}",
            flush=True,
        )
        if missed or only:
            again = {name: self._run_tests(suite, place, name).lines for name in SUBJECTS[1:]}
            self._print("missed by the spy", place, missed, again["ctrace"] - again["spied"])
            self._print("only the spy has", place, only, again["spied"] - again["ctrace"])
        for name in sorted(other)[:MOST_PRINTED]:
            states = [f"{way} {ran[way].outcomes.get(name, 'not run')}" for way in SUBJECTS]
            print(f"    {name}: {', '.join(states)}")

    def _print(self, what: str, place: Path, lines: Lines, again: Lines) -> None:
        for file, line in sorted(lines)[:MOST_PRINTED]:
            text = (place / "app" / file).read_text(encoding="utf-8").splitlines()[line - 1]
            when = "in two runs" if (file, line) in again else "in one run of two"
            print(f"    {what} {when}: {file}:{line}: {text.strip()}")

    def _fetch(self, suite: Suite) -> Path:
        """Return a folder with a package's tests, the package, and what these need, in three."""
        place = self._folder / suite.name
        place.mkdir()
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        pip += ["--no-binary", suite.name, "--dest", str(place)]
        _said([*pip, f"{suite.name}=={suite.version}"])
        (archive,) = place.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(place, filter="data")
        (unpacked,) = (path for path in place.iterdir() if path.is_dir())
        tests = unpacked.rename(place / "tests")
        self._install(place / "app", "--no-deps", str(tests))
        # By its name it belongs to no app: see AppFiles.
        needs = place / "site-packages"
        self._install(needs, "pytest", "coverage>=7.10", *suite.needs, str(tests))
        for name in {path.name for path in (place / "app").iterdir()}:
            path = needs / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(tests / suite.source)
        return place

    def _install(self, target: Path, *what: str) -> None:
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet"]
        uv += ["--python-version", self._version, "--python-platform", "linux"]
        _said([*uv, "--target", str(target), *what])

    def _run_tests(self, suite: Suite, place: Path, subject: str) -> Ran:
        data = place / subject
        shutil.rmtree(data, ignore_errors=True)
        path = [place / "app", place / "site-packages"]
        environ = {"HOME": str(data), "PYTHONHASHSEED": "0"}
        prepare(data, "")
        if subject == "spied":
            path.insert(0, SPY)
            environ.update(self._of_the_spy(place / "app", data))
        elif subject == "ctrace":
            path.insert(0, BENCH)
            config = data / "coveragerc"
            config.write_text(
                f"[run]\nsource = {place}/app\ndata_file = {data}/coverage\nparallel = true\n"
                "core = ctrace\nsigterm = true\n",
                encoding="utf-8",
            )
            environ["COVERAGE_PROCESS_START"] = str(config)
        environ["PYTHONPATH"] = ":".join(map(str, path))
        report = data / "outcomes.xml"
        command = self._python.command(self._folder, place / "tests", environ)
        pytest = ["-m", "pytest", "-q", "-pno:cacheprovider", f"--junitxml={report}"]
        pytest += suite.arguments
        said = data / "said"
        with said.open("wb") as log:
            done = subprocess.run(
                [*command, self._python.path, str(BENCH / "timed.py"), self._python.path, *pytest],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        if not report.exists():
            raise SystemExit(said.read_text(encoding="utf-8", errors="replace")[-4000:])
        cpu_s, _ = json.loads(done.stdout)
        return Ran(cpu_s, _outcomes(report), _ran(place / "app", data, subject))

    def _of_the_spy(self, app: Path, data: Path) -> dict[str, str]:
        """Return the spy's settings."""
        settings = {"NOMOCK_SPY_OUT": str(data), "NOMOCK_SPY_ROOTS": str(app)}
        settings["NOMOCK_SPY_SERVICE"] = "suite"
        tag = f"cp{self._version.replace('.', '')}"
        if int(tag[2:]) < 312:
            kind = f"{tag}-glibc-{platform.machine()}"
            wheels = self._folder / ".nomock" / "spy-wheels" / kind
            provide(tag, "glibc", platform.machine(), wheels)
            settings["NOMOCK_SPY_WHEELS"] = str(wheels)
        return settings


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="", help="the path of another Python")
    parser.add_argument("--image", default="", help="run its python3 in containers of this image")
    parser.add_argument("--only", choices=[suite.name for suite in SUITES])
    chosen = parser.parse_args()
    # Not that of the environment, which has a plugin of pytest, and the spy.
    own = getattr(sys, "_base_executable", sys.executable)
    path = chosen.python or ("python3" if chosen.image else own)
    python = Python(path, chosen.image)
    print(f"Python {python.version()}")
    print("package     tests statements     ran  missed  only spy  outcomes    CPU  ctrace")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(python, Path(folder).resolve())
        for suite in SUITES:
            if chosen.only in (None, suite.name):
                bench.run(suite)


def _outcomes(report: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        states = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        name = f"{case.get('classname')}::{case.get('name')}"
        # An address is another one in each run.
        found[re.sub("0x[0-9a-f]+", "0x…", name)] = "+".join(states) or "passed"
    return found


def _sources(app: Path) -> list[Path]:
    return sorted(app.rglob("*.py"))


def _statements(app: Path, path: Path, ran: set[int] | None = None) -> Lines:
    """Return the statements of a file, by coverage.py's reading; of those that ran, if given."""
    measured = coverage.Coverage(data_file=None, config_file=False)
    measured.set_option("report:exclude_lines", ["^$.never"])
    measured.get_data().add_lines({str(path): ran or set()})
    try:
        _, statements, _, missing, _ = measured.analysis2(str(path))
    except coverage.exceptions.NotPython:
        return set()
    counted = statements if ran is None else set(statements) - set(missing)
    return {(str(path.relative_to(app)), line) for line in counted}


def _ran(app: Path, data: Path, subject: str) -> Lines:
    """Return the statements of a package that ran."""
    lines: dict[Path, set[int]] = {}
    if subject == "spied":
        for process in read_all(data).processes:
            for lost in (*process.lost, process.canary_failure(), process.unsupported):
                if lost:
                    print(f"    a process of the spy: {lost}")
            for ran in process.ran():
                lines.setdefault(Path(ran.file.path), set()).update(numbers(ran.lines))
    else:
        for file in data.glob("coverage.*"):
            found = coverage.CoverageData(str(file))
            found.read()
            for name in found.measured_files():
                lines.setdefault(Path(name), set()).update(found.lines(name) or ())
    there = {path: ran for path, ran in lines.items() if path.is_relative_to(app) and path.exists()}
    return {one for path, ran in there.items() for one in _statements(app, path, ran)}


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
