"""How compose is called.

Compose alone decides which files, which folder and which ``.env`` count. So it is called in the
folder in which its user would call it, and files are named to it only where a setting of ours names
them. This module imports nothing heavy: the settings of each run may need it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.errors import ConfigError, EngineMissingError

LAST_LINES = 20
# No path has it, so that a list of paths can be joined by it, whatever is in their names.
_SEPARATOR = "\n"


@dataclass(frozen=True)
class Call:
    """Where compose is called, and what it is told of its files."""

    folder: Path
    """The folder in which it is called: it looks for its files there, then upwards."""
    named: tuple[Path, ...] = ()
    """Files that are named to it by ``--file``: its project folder is then that of the first."""
    chosen: tuple[Path, ...] = ()
    """Files in place of those that it would find: by COMPOSE_FILE, which moves no folder."""
    project: str | None = None
    """The project's name; None leaves it to compose."""

    def environ(self) -> dict[str, str]:
        """Return the environment of a process of compose."""
        # By its name where it is a link: compose calls the project by it.
        found = {**os.environ, "PWD": str(self.folder)}
        if self.chosen:
            found["COMPOSE_FILE"] = _SEPARATOR.join(map(str, self.chosen))
            found["COMPOSE_PATH_SEPARATOR"] = _SEPARATOR
        return found


def started(
    command: Sequence[str], call: Call, *, is_told: bool = False, **options: Any
) -> subprocess.Popen[str]:
    """Start a process of compose; ``is_told``: it gets a text as its standard input.

    Raises EngineMissingError where what is called docker cannot be run.
    """
    require_client()
    if not call.folder.is_dir():
        raise ConfigError(
            "the folder in which compose is called is gone",
            where=str(call.folder),
            todo="call it in a folder that is there",
        )
    try:
        return subprocess.Popen(
            command,
            cwd=call.folder,
            env=call.environ(),
            stdin=subprocess.PIPE if is_told else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            **options,
        )
    except OSError as error:
        raise EngineMissingError(
            "the docker client cannot be run",
            where=str(shutil.which("docker")),
            seen=str(error),
            todo="see what that file is; install the client with its compose plugin: "
            "https://docs.docker.com/get-docker/",
        ) from error


def require_client() -> None:
    """Raise EngineMissingError where there is no docker client."""
    if shutil.which("docker") is None:
        raise EngineMissingError(
            "the docker client is not installed",
            where="PATH",
            todo="install it with its compose plugin: https://docs.docker.com/get-docker/",
        )


def how_ended(code: int) -> str:
    """Say how a process ended: ``ended with 3``, ``was killed by SIGKILL``.

    >>> how_ended(1)
    'ended with 1'
    """
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def last_lines(text: str) -> str:
    """Return the last 20 lines of what a process said."""
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])


def end_session(process: subprocess.Popen[str], *, kill: bool) -> None:
    """End a process that has a session of its own, and all that it started there."""
    if sys.platform == "win32":  # which has none
        process.kill() if kill else process.terminate()
        return
    with suppress(ProcessLookupError):  # it has just ended
        os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
