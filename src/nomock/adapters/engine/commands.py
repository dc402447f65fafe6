"""Commands that run in a container that is there, to their end."""

from __future__ import annotations

from collections.abc import Sequence
from http.client import HTTPResponse
from typing import Any

from nomock.adapters.engine.frames import demultiplexed
from nomock.adapters.engine.transport import Transport
from nomock.polling import wait_until
from nomock.target import ExecResult, Executed


class Commands(Transport):
    """Runs a command in a running container."""

    def run_inside(self, container_id: str, command: Sequence[str]) -> ExecResult:
        """Run a command in a running container, as its user and in its folder, to its end."""
        code, said = self._exec(container_id, command, timeout_s=self._timeout_s)
        return ExecResult(code, text_of(demultiplexed(said)))

    def execute(self, container_id: str, command: Sequence[str]) -> Executed:
        """Run a command in a running container, to its end, and return its two streams apart.

        There is no limit to how long it may say nothing.
        """
        code, said = self._exec(container_id, command, timeout_s=None)
        return Executed(code, text_of(demultiplexed(said, 1)), text_of(demultiplexed(said, 2)))

    def _exec(
        self, container_id: str, command: Sequence[str], *, timeout_s: float | None
    ) -> tuple[int, bytes]:
        asked = {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True}
        id_ = self._created(f"/containers/{container_id}/exec", asked)
        path = f"/exec/{id_}/start"
        with self._request("POST", path, json={"Tty": False}, timeout_s=timeout_s) as response:
            said = self._output(response, f"POST {path}")
        path = f"/exec/{id_}/json"

        found: Any = None

        def has_ended() -> bool:
            # A busy engine knows of the end a moment after the output has ended.
            nonlocal found
            found = self._call("GET", path)
            with self._reading(f"GET {path}", found):
                return not found.get("Running")

        wait_until(has_ended, within_s=self._timeout_s)
        with self._reading(f"GET {path}", found):
            return int(found["ExitCode"]), said

    def _output(self, response: HTTPResponse, asked: str) -> bytes:
        """Read the frames of a command that has no terminal, to the command's end."""
        body = response.read()
        if response.status >= 400:
            self._answer(response, body, asked)
        return body


def text_of(said: bytes) -> str:
    """Return what a command said, whatever bytes are in it."""
    return said.decode(errors="replace")
