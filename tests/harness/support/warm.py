"""Processes of Python that begin with what they would import: a short run for half the CPU.

Most of what a run of pytest or of nomock costs here is importing pytest, and what nomock stands on.
A server, one for each process of these tests, has imported that once, and a run is a fork of it: a
process of its own, with its own folder, environment, output and end. nomock itself is not among
what is there, so that each run imports it as ever.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from _pytest.config import default_plugins

# Not from another file here: a fork imports this one, and is to have nothing of nomock by that.
PYTEST = (sys.executable, "-mpytest")
NOMOCK = str(Path(sys.executable).with_name("nomock"))
IMPORTED = (
    *(f"_pytest.{name}" for name in default_plugins),
    *("asyncio", "certifi", "execnet", "httpx", "multiprocessing.pool", "psycopg"),
    *("pygments.lexers.python", "python_on_whales", "sqlite3", "xml.etree.ElementTree"),
)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(IMPORTED))


class Forked:
    """A fork of the server, as far as pytester asks for what `subprocess.Popen` has."""

    stdin = None

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.kill = process.kill

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code; raises TimeoutExpired where it has none after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode


def keep_warm(pytester: pytest.Pytester) -> None:
    """Let pytester fork what it runs of pytest and nomock, its output into files."""
    begins_cold = pytester.popen
    # What an interpreter reads as it starts: where a test sets any of it, a fork would not do.
    at_start = _read_at_start(os.environ)

    def popen(command: tuple[str, ...], stdout: Any, stderr: Any, **more: Any) -> Any:
        runs_python = command[:2] == PYTEST or command[0] == NOMOCK
        same = _read_at_start(os.environ) == at_start
        if not (runs_python and same and more == {"stdin": pytester.CLOSE_STDIN}):
            return begins_cold(command, stdout, stderr, **more)
        # As pytester would set it.
        folder = str(Path.cwd())
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        environ = {**os.environ, "PYTHONPATH": path}
        outputs = (stdout.name, stderr.name)
        process = _CONTEXT.Process(
            target=_run, args=(command, outputs, folder, environ, _installed())
        )
        process.start()
        return Forked(process)

    pytester.popen = popen  # type: ignore[method-assign]


def _read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    begins = ("PYTHON", "LC_", "LANG", "COVERAGE_")
    return {k: v for k, v in environ.items() if k.startswith(begins) and k != "PYTHONPATH"}


@cache
def _installed() -> list[str]:
    """Return where an interpreter looks for modules behind its script's folder and PYTHONPATH."""
    look = "import sys; print(*sys.path[1:], sep='\\n')"
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-c", look]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def _run(
    command: tuple[str, ...],
    outputs: tuple[str, str],
    folder: str,
    environ: Mapping[str, str],
    installed: Sequence[str],
) -> None:
    """Be the process of a command, in a fork of the server."""
    gc.freeze()  # what was there is not this run's to look through
    for name in [name for name in sys.modules if name.partition(".")[0] == "anyio"]:
        del sys.modules[name]  # httpx has it; pytest wants to be the first to import its plugins
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None
    multiprocessing.set_start_method(None, force=True)
    for number, path in enumerate(outputs, 1):
        opened = os.open(path, os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout.reconfigure(line_buffering=False)  # type: ignore[union-attr]
    runs_pytest = command[:2] == PYTEST
    own = folder if runs_pytest else str(Path(command[0]).parent)
    sys.path[:] = [own, *environ["PYTHONPATH"].split(os.pathsep), *installed]
    try:
        if runs_pytest:
            sys.argv = list(command[1:])
            runpy.run_module("pytest", run_name="__main__", alter_sys=True)
        else:
            sys.argv = list(command)
            runpy.run_path(command[0], run_name="__main__")
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
