"""The reference suite on a real stack with one defect in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from .copies import copy_to
from .defect import ROOT, START, Defect
from .result import NoVerdictError, Result, first_failed

_GREEN, _RED, _NO_STACK = 0, 1, 6
_FIRST = "tests/test_instances.py"
"""Who asks for the stack, where all that is to be seen is that it does not start."""


def reads(defect: Defect) -> list[str]:
    """Return what the verdict depends on, beside the patch."""
    file = _FIRST if defect.turns_red == START else defect.turns_red.partition("::")[0]
    stack = ["services", "http-fault-proxy", "docker-compose*.yml"]
    return [*stack, "tests/conftest.py", "tests/helpers", file]


class Suite:
    """A copy of the checkout with a stack of its own; nomock rebuilds what a patch touches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Suite]:
        """Make the copy; stack and copy are gone after the block."""
        with TemporaryDirectory(prefix="nomock-defects-") as name:
            folder = Path(name)
            copy_to(folder)
            chosen = [
                line for line in (ROOT / ".env").read_text().splitlines() if "_IMAGE=" in line
            ]
            project = f"nomock-defects-{uuid4().hex[:8]}"
            (folder / ".env").write_text("\n".join([*chosen, f"COMPOSE_PROJECT_NAME={project}\n"]))
            suite = cls(folder)
            try:
                yield suite
            finally:
                suite._down("--rmi", "local")

    def judge(self, defect: Defect) -> Result:
        """Run the test that should notice the defect, and where it does not, the rest of its file.

        The time is that until one was red, with the rebuild of what the patch touches.
        """
        if defect.changes_the_schema:
            self._down()
        began = perf_counter()
        try:
            with defect.applied(self._folder):
                found = self._found(defect)
                seconds = perf_counter() - began
        finally:
            if defect.changes_the_schema or defect.turns_red == START:
                self._down()
        return Result(found, round(seconds, 1))

    def _found(self, defect: Defect) -> str | None:
        if defect.turns_red == START:
            ended, printed = self._pytest(_FIRST, "-x")
            return self._verdict(defect, ended, printed)
        ended, printed = self._pytest(defect.turns_red, "-x")
        if ended == _GREEN and "::" in defect.turns_red:
            ended, printed = self._pytest(defect.turns_red.partition("::")[0], "-x")
        return self._verdict(defect, ended, printed)

    def _verdict(self, defect: Defect, ended: int, printed: str) -> str | None:
        if ended == _GREEN:
            return None
        if ended == _RED and (test := first_failed(printed)):
            return test
        if ended == _NO_STACK and defect.turns_red == START:
            return START
        # A stack that does not start or a test that is not there proves nothing of this defect.
        raise NoVerdictError(f"{defect.name}: pytest ended with {ended}\n{printed[-4000:]}")

    def _pytest(self, *arguments: str) -> tuple[int, str]:
        more = ["--nomock-traces"] if "test_traces.py" in arguments[0] else []
        command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider"]
        # The outer run's own variables would make the inner one take itself for a worker.
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COMPOSE_"))}
        # Whole names of tests, however wide the terminal is; and other things may run beside it.
        environ |= {"COLUMNS": "400", "NOMOCK_TIMEOUT_S": "600"}
        done = subprocess.run(
            [*command, *arguments, *more],
            cwd=self._folder,
            env=environ,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    def _down(self, *more: str) -> None:
        # Orphans: the backend of those that are seen in traces comes by another file.
        down = ["docker", "compose", "down", "--volumes", "--remove-orphans", *more]
        environ = {k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")}
        subprocess.run(down, cwd=self._folder, check=True, capture_output=True, env=environ)
