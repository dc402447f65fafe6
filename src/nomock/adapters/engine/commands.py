"""Commands that run in containers, to their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import HTTPResponse
from typing import Any

from nomock.adapters.engine.answers import said
from nomock.adapters.engine.frames import demultiplexed
from nomock.adapters.engine.transport import Transport
from nomock.polling import wait_until
from nomock.target import ExecResult, Executed

_NO_PROGRAM = 127
"""What a shell, too, says of a command that is not there."""


class Commands(Transport):
    """Runs a command in a service's container, or in one of its own."""

    def run_inside(self, container_id: str, command: Sequence[str]) -> ExecResult:
        """Run a command in a running container, as its user and in its folder, to its end."""
        code, said = self._exec(container_id, command, timeout_s=self._timeout_s)
        return ExecResult(code, _text(demultiplexed(said)))

    def execute(self, container_id: str, command: Sequence[str]) -> Executed:
        """Run a command in a running container, to its end, and return its two streams apart.

        There is no limit to how long it may say nothing.
        """
        code, said = self._exec(container_id, command, timeout_s=None)
        return Executed(code, _text(demultiplexed(said, 1)), _text(demultiplexed(said, 2)))

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

    def run_alone(
        self, image: str, command: Sequence[str], options: Mapping[str, Any]
    ) -> ExecResult:
        """Run a command in a container of its own, to its end, whatever the image would run.

        It has no network and may not write; it is removed in any case, by the engine itself where
        this process is killed. ``options`` are more of the engine's own for a new container.
        """
        host = {
            "AutoRemove": True,
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            **options.get("HostConfig", {}),
        }
        asked: dict[str, Any] = {
            "Image": image,
            "Entrypoint": [command[0]],
            "Cmd": list(command[1:]),
        }
        asked |= {"AttachStdout": True, "AttachStderr": True, **options, "HostConfig": host}
        path = "/containers/" + self._created("/containers/create", asked)
        # Both are asked before it starts: it and its exit code are gone as soon as it ends.
        attached = {"stream": "1", "stdout": "1", "stderr": "1"}
        try:
            with (
                self._request("POST", f"{path}/attach", attached) as stream,
                self._request("POST", f"{path}/wait", {"condition": "removed"}) as end,
            ):
                if refusal := self._start_refusal(path):
                    return ExecResult(_NO_PROGRAM, refusal)
                output = _text(demultiplexed(self._output(stream, f"POST {path}/attach")))
                ended = self._answer(end, end.read(), f"POST {path}/wait")
                with self._reading(f"POST {path}/wait", ended):
                    return ExecResult(ended["StatusCode"], output)
        finally:
            self._remove(path)

    def file_of_image(self, image: str, path: str) -> bytes | None:
        """Return a file of a local image, None where it has none; nothing of it is run.

        What a command writes may be lost where it ends as soon as it has started: the engine
        answers a moment before it listens.
        """
        import io
        import tarfile

        made = "/containers/" + self._created("/containers/create", {"Image": image, "Cmd": [path]})
        try:
            with self._request("GET", f"{made}/archive", {"path": path}) as response:
                body = response.read()
                if response.status == 404:
                    return None
                if response.status >= 400:
                    self._answer(response, body, f"GET {made}/archive")
        finally:
            self._remove(made)
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            found = archive.extractfile(archive.getmembers()[0])
            return None if found is None else found.read()

    def _start_refusal(self, path: str) -> str:
        """Start a container; return why it has no such command, empty where it runs."""
        response, body, _ = self._patiently("POST", f"{path}/start")
        if response.status == 400:
            return said(body)
        self._answer(response, body, f"POST {path}/start")
        return ""

    def _output(self, response: HTTPResponse, asked: str) -> bytes:
        """Read the frames of a command that has no terminal, to the command's end."""
        body = response.read()
        if response.status >= 400:
            self._answer(response, body, asked)
        return body

    def _remove(self, path: str) -> None:
        with self._request("DELETE", path, {"force": "1", "v": "1"}) as response:
            body = response.read()
            if response.status not in {404, 409}:  # gone, or on its way
                self._answer(response, body, f"DELETE {path}")


def _text(said: bytes) -> str:
    return said.decode(errors="replace")
