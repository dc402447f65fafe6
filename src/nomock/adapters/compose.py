"""docker compose, through python-on-whales: what changes the stack, and its resolved configuration.

python-on-whales takes 0.2 s to import, so this module is imported only when something is to be
changed. ``build`` and ``up`` run its command line in a process of our own: python-on-whales
waits for these to end, and a start-up must be given up as soon as one service dies.
"""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from python_on_whales import DockerClient

from nomock.adapters import compose_config
from nomock.adapters.compose_call import LAST_LINES, Call, require_client, started
from nomock.adapters.compose_cures import cure_of
from nomock.errors import BuildError, ComposeError

# How long a command that is to end may take to undo what it has half done.
_GRACE_S = 10.0

# BuildKit at times tells the end of a step that an error has cancelled, in place of the error: a
# second try tells that.
_CANCELLED = "failed to solve: Canceled: context canceled"


class Compose:
    """The compose commands that change one project."""

    def __init__(self, call: Call) -> None:
        require_client()
        self._call = call
        self._client = DockerClient(
            compose_files=list(call.named), compose_project_name=call.project
        )

    def config(self, where: str, on_warning: Callable[[str], None]) -> dict[str, Any]:
        """Return the resolved configuration, with `$$` as one `$`; raises as ``answer`` does.

        ``where`` is what an error is about; ``on_warning`` is told each of compose's warnings.
        """
        found: dict[str, Any] = compose_config.config(
            self._call, self.command(), where=where, on_warning=on_warning
        )
        return found

    def build(
        self,
        services: Sequence[str],
        on_line: Callable[[str], None],
        *,
        text: str | None = None,
        folder: Path = Path(),
    ) -> None:
        """Build the images of some services; raise BuildError with the last lines.

        ``text``: a compose file to build by in place of the project's own, with absolute paths;
        ``folder`` is then the project's.
        """
        words = ("--progress", "plain", "build", *services)
        command = self.command(*words)
        if text is not None:
            where = ("--project-name", str(self._call.project), "--project-directory", str(folder))
            command = ["docker", "compose", *where, "--file", "-", *words]
        for is_last in (False, True):
            with self._running(command, on_line, text) as build:
                if build.wait() == 0:
                    return
                seen = build.last_lines()
            if _CANCELLED not in seen or is_last:
                raise BuildError(
                    "an image does not build",
                    where=f"build of {', '.join(services)}",
                    seen=seen,
                    todo=build.cure() or f"docker compose build {' '.join(services)}",
                )

    def up(self, *options: str, on_line: Callable[[str], None]) -> AbstractContextManager[Running]:
        """Run ``compose up --detach`` while the block watches the services.

        Nothing is built, unless an option says ``--build``.
        """
        if "--build" in options:
            words: tuple[str, ...] = ("--progress", "plain", "up", "--detach")
        else:
            words = ("up", "--detach", "--no-build")
        return self._running(self.command(*words, *options), on_line)

    def down(self, *, volumes: bool, within_s: float) -> None:
        """Stop and remove the project's containers and networks, and its volumes if asked.

        Raises ComposeError, also where it does not end in time.
        """
        words = ["down", "--remove-orphans", *(["--volumes"] if volumes else [])]
        with self._running(self.command(*words), lambda line: None) as down:
            if down.wait(within_s) != 0:
                raise ComposeError(
                    "the stack could not be taken down",
                    where="compose down",
                    seen=down.last_lines(),
                    todo="docker compose down",
                )

    def command(self, *words: str) -> list[str]:
        """Return the command line of a compose command on this project, for its ``Call``."""
        return [str(word) for word in (*self._client.compose.docker_compose_cmd, *words)]

    @contextmanager
    def _running(
        self, command: Sequence[str], on_line: Callable[[str], None], text: str | None = None
    ) -> Iterator[Running]:
        running = Running(command, self._call, on_line, text)
        try:
            yield running
        finally:
            running.end()


class Running:
    """A compose command that runs: it can be asked, waited for and ended."""

    def __init__(
        self,
        command: Sequence[str],
        call: Call,
        on_line: Callable[[str], None],
        text: str | None = None,
    ) -> None:
        """``text`` is its standard input; None: it has none."""
        self._command = command
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._process = started(command, call, is_told=text is not None, stderr=subprocess.STDOUT)
        # A thread of its own, so that a full pipe never blocks compose while nobody reads.
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as stdin:  # its words say why
                stdin.write(text or "")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line := line.rstrip():
                self._lines.append(line)
                self._on_line(line)

    def exit_code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll()

    def wait(self, within_s: float | None = None) -> int:
        """Wait for the end and return the exit code; raise ComposeError where it does not come."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired as error:
            raise ComposeError(
                f"compose has not ended after {within_s:g} s",
                where=" ".join(self._command),
                seen=self.last_lines() or "(it said nothing)",
                todo="see whether the engine does what it is asked: docker ps, and its own log",
            ) from error
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
            try:
                self._process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        # What it started itself may outlive it, and keep the pipe open.
        self._reader.join(_GRACE_S)
