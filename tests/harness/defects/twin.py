"""The twin suite, written with mocks for the same behaviour (docs/mocks), with one defect in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from .copies import copy_to, digest
from .defect import ROOT, Defect
from .result import NoVerdictError, Result, first_failed

MOCKS = "docs/mocks"
_FOLDER = ROOT / ".nomock/twin-env"
_GREEN, _RED, _NOT_COLLECTED = 0, 1, 2


def reads(_: Defect) -> list[str]:
    """Return what a verdict depends on, beside the patch."""
    return ["services", MOCKS]


class Twin:
    """A copy of the services and of the twin, in an environment without an engine."""

    def __init__(self, folder: Path, python: Path) -> None:
        self._folder = folder
        self._python = python

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Twin]:
        """Make the copy and, once, the environment; the copy is gone after the block."""
        python = _environment()
        with TemporaryDirectory(prefix="nomock-twin-") as name:
            copy_to(Path(name), "services", MOCKS)
            yield cls(Path(name), python)

    def judge(self, defect: Defect) -> Result:
        """Run its files about what the patch touches until a test is red."""
        began = perf_counter()
        # A patch may touch what is not Python, too: there is nothing of that here.
        with self._with(defect):
            ended, printed = self.run("-x", *self._files_about(defect.packages))
        seconds = round(perf_counter() - began, 1)
        if ended == _GREEN:
            return Result(None, seconds)
        if ended in (_RED, _NOT_COLLECTED) and (test := first_failed(printed)):
            return Result(test, seconds)
        raise NoVerdictError(f"{defect.name}: the twin ended with {ended}\n{printed[-4000:]}")

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the twin; return pytest's exit code and what it printed."""
        return self._call("-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *arguments)

    def coverage(self) -> float:
        """Return which part of the services' statements and branches it runs, in percent."""
        run = ["-m", "coverage", "run", "--branch", "--source=../../services"]
        ended, printed = self._call(*run, "-m", "pytest", "-q", "-p", "no:cacheprovider")
        if ended:
            raise SystemExit(printed)
        self._call("-m", "coverage", "json", "-o", "coverage.json")
        told = json.loads((self._folder / MOCKS / "coverage.json").read_text())
        return float(told["totals"]["percent_covered"])

    def _files_about(self, packages: Collection[str]) -> list[str]:
        """Return the files that speak of one of these packages; all, where all services use it."""
        if not packages or "shared" in packages:
            return []
        # By its fixture, too, not by imports alone.
        speaks = re.compile(rf"\b(?:{'|'.join(sorted(packages))})\b")
        files = sorted((self._folder / MOCKS).glob("test_*.py"))
        return [path.name for path in files if speaks.search(path.read_text())]

    @contextmanager
    def _with(self, defect: Defect) -> Iterator[None]:
        if not defect.is_in_python:
            yield
            return
        with defect.applied(self._folder):
            yield

    def _call(self, *arguments: str) -> tuple[int, str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COMPOSE_"))}
        environ |= {"COLUMNS": "400", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [self._python, *arguments],
            cwd=self._folder / MOCKS,
            env=environ,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


def _environment() -> Path:
    """Return the Python of the environment with the requirements of services and mocks."""
    python = _FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    locked = digest([f"{MOCKS}/requirements.txt"], sys.version)
    made_of = _FOLDER / "made-of"
    if not made_of.exists() or made_of.read_text() != locked:
        subprocess.run(
            ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, _FOLDER], check=True
        )
        install = ["uv", "pip", "install", "--quiet", "--require-hashes", "--python", python]
        subprocess.run([*install, "-r", ROOT / MOCKS / "requirements.txt"], check=True)
        made_of.write_text(locked)
    return python
