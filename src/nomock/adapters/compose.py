"""docker compose, through python-on-whales: what changes the stack, and its resolved configuration.

python-on-whales takes 0.2 s to import, so this module is imported only when something is to be
changed. ``build`` and ``up`` run its command line in a process of our own: python-on-whales
waits for these to end, and a start-up must be given up as soon as one service dies.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from nomock.errors import BuildError, ComposeError, ConfigError, EngineMissingError

_LAST_LINES = 20
# What compose and BuildKit say, and what a user can do about it.
_CURES = (
    (r"no space left on device", "the disk is full: docker system df shows what can go"),
    (
        r"port is already allocated|address already in use|ports are not available",
        "another program has that port: end it, or let the engine choose (127.0.0.1::8000)",
    ),
    (
        r"pull access denied|failed to resolve reference|manifest unknown|no such host"
        r"|i/o timeout|failed to do request|failed to resolve source metadata"
        r"|Get \"https?://[^\" ]*/v2/",
        "an image is not here and no container registry gave it: nomock images, "
        "or docker compose pull",
    ),
)


class Compose:
    """The compose commands of one project: its files, name and directory."""

    def __init__(self, files: Sequence[Path], project: str | None) -> None:
        self._files = files
        self._client = _client(
            compose_files=list(files),
            compose_project_name=project,
            compose_project_directory=files[0].parent,
        )

    def config(self) -> dict[str, Any]:
        """Return the resolved configuration; raise ConfigError with compose's own words."""
        try:
            found = self._client.compose.config(return_json=True)
        except DockerException as error:
            raise ConfigError(
                "compose cannot read this",
                where=", ".join(map(str, self._files)),
                seen=_words_of(error),
                todo="docker compose config",
            ) from error
        assert isinstance(found, dict)
        return found

    def build(self, services: Sequence[str], on_line: Callable[[str], None]) -> None:
        """Build the images of some services; raise BuildError with the last lines."""
        with self._running(("build", "--progress=plain", *services), on_line) as build:
            if build.wait() != 0:
                raise BuildError(
                    "an image does not build",
                    where=f"build of {', '.join(services)}",
                    seen=build.last_lines(),
                    todo=build.cure() or f"docker compose build {' '.join(services)}",
                )

    def up(self, *options: str, on_line: Callable[[str], None]) -> AbstractContextManager[Running]:
        """Run ``compose up --detach`` while the block watches the services."""
        return self._running(("up", "--detach", "--no-build", *options), on_line)

    def down(self, *, volumes: bool) -> None:
        """Stop and remove the project's containers and networks, and its volumes if asked."""
        try:
            self._client.compose.down(volumes=volumes, remove_orphans=True, quiet=True)
        except DockerException as error:
            raise ComposeError(
                "the stack could not be taken down",
                where="compose down",
                seen=_words_of(error),
                todo="docker compose down",
            ) from error

    def command(self, *words: str) -> list[str]:
        """Return the command line of a compose command on this project."""
        return [str(word) for word in (*self._client.compose.docker_compose_cmd, *words)]

    @contextmanager
    def _running(self, words: Sequence[str], on_line: Callable[[str], None]) -> Iterator[Running]:
        running = Running(self.command(*words), on_line)
        try:
            yield running
        finally:
            running.end()


class Running:
    """A compose command that runs: it can be asked, waited for and ended."""

    def __init__(self, command: Sequence[str], on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        # A thread of its own, so that a full pipe never blocks compose while nobody reads.
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line := line.rstrip():
                self._lines.append(line)
                self._on_line(line)

    def exit_code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        code = self._process.wait()
        self._reader.join()
        return code

    def last_lines(self) -> str:
        """Return the last lines that it printed, at most 20."""
        return "\n".join(self._lines)

    def cure(self) -> str:
        """Return what to do about what it printed, empty where no cure is known."""
        return cure_of(self.last_lines())

    def end(self) -> None:
        """End it if it still runs, and wait until it is gone."""
        if self._process.poll() is None:
            self._process.terminate()
        self.wait()


def _client(**options: Any) -> DockerClient:
    if shutil.which("docker") is None:
        raise EngineMissingError(
            "the docker client is not installed",
            where="PATH",
            todo="install it with its compose plugin; ./just does so where it can",
        )
    return DockerClient(**options)


def cure_of(lines: str) -> str:
    """Return what to do about what compose or BuildKit said, empty where no cure is known."""
    return next((cure for pattern, cure in _CURES if re.search(pattern, lines)), "")


def _words_of(error: DockerException) -> str:
    """What the command itself said, without python-on-whales' frame around it."""
    lines = (error.stderr or str(error)).strip().splitlines()
    return "\n".join(lines[-_LAST_LINES:])
