"""What is asked of an image alone, by a container that is made for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nomock.adapters.engine.answers import said
from nomock.adapters.engine.commands import Commands, text_of
from nomock.adapters.engine.frames import demultiplexed
from nomock.target import ExecResult, has_ended, this_process

_LABEL = "nomock.alone"
"""On its container; the value is the process that removes it: machine and number."""
_NO_PROGRAM = 127
"""What a shell, too, says of a command that is not there."""


class Alone(Commands):
    """Runs a command in a container of its own, and reads files of images."""

    def run_alone(
        self, image: str, command: Sequence[str], options: Mapping[str, Any]
    ) -> ExecResult:
        """Run a command in a container of its own, to its end, whatever the image would run.

        It has no network and may not write. It is removed in any case: where this process is
        killed, by the next one that asks. ``options`` are more of the engine's own for a new
        container.
        """
        self._remove_left()
        host = {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            # Read when it has ended. Who is attached while it runs is cut off with it, by an engine
            # that also removes it, and would lose the last lines.
            "LogConfig": {"Type": "json-file"},
            **options.get("HostConfig", {}),
        }
        asked: dict[str, Any] = {
            "Image": image,
            "Entrypoint": [command[0]],
            "Cmd": list(command[1:]),
            "Labels": {_LABEL: this_process()},
        }
        path = "/containers/" + self._created(
            "/containers/create", asked | {**options, "HostConfig": host}
        )
        try:
            if refusal := self._start_refusal(path):
                return ExecResult(_NO_PROGRAM, refusal)
            with self._request("POST", f"{path}/wait") as end:
                ended = self._answer(end, end.read(), f"POST {path}/wait")
            streams = {"stdout": "1", "stderr": "1"}
            with self._request("GET", f"{path}/logs", streams) as response:
                output = text_of(demultiplexed(self._output(response, f"GET {path}/logs")))
            with self._reading(f"POST {path}/wait", ended):
                return ExecResult(ended["StatusCode"], output)
        finally:
            self._remove(path)

    def file_of_image(self, image: str, path: str) -> bytes | None:
        """Return a file of a local image, None where it has none; nothing of it is run."""
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

    def _remove(self, path: str) -> None:
        with self._request("DELETE", path, {"force": "1", "v": "1"}) as response:
            body = response.read()
            if response.status not in {404, 409}:  # gone, or on its way
                self._answer(response, body, f"DELETE {path}")

    def _remove_left(self) -> None:
        """Remove the containers of processes of this machine that were killed."""
        filters = json.dumps({"label": [_LABEL]})
        for container in self._all("/containers/json", {"all": "1", "filters": filters}):
            if has_ended(container["Labels"][_LABEL]):
                self._remove(f"/containers/{container['Id']}")
