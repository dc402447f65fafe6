"""Commands that run in pods, to their end: what `kubectl exec` does.

Over a connection that goes on as SPDY/3.1, with a stream for each of the command's own two, and one
for a Status object in JSON, which says how it ended. One thread reads and writes it: whoever closes
a connection that another thread reads lets that one read of the next that has its number.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import PodName
from nomock.adapters.kubernetes.spdy import Frames
from nomock.errors import ClusterError
from nomock.target import Executed

_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "SPDY/3.1",
    "X-Stream-Protocol-Version": "v4.channel.k8s.io",
}
_SWITCHED = 101
_STATUS, _STDOUT, _STDERR = 1, 3, 5
_STREAMS = {_STATUS: "error", _STDOUT: "stdout", _STDERR: "stderr"}
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Commands:
    """Runs commands in pods."""

    connection: Connection

    def run(self, name: PodName, command: Sequence[str], *, timeout_s: float | None) -> Executed:
        """Run a command and return how it ended, and what it said on each of its streams.

        ``timeout_s``: for how long it may say nothing. Raises ClusterError where it cannot be
        started, or its pod is gone.
        """
        said = {_STDOUT: bytearray(), _STDERR: bytearray(), _STATUS: bytearray()}
        for channel, content in self._messages(name, command, timeout_s):
            said[channel] += content
        if not said[_STATUS]:
            raise self._failed(name, command, "the connection was lost")
        code = self._code(name, command, json.loads(said[_STATUS]))
        return Executed(code, _text(said[_STDOUT]), _text(said[_STDERR]))

    def lines(
        self, name: PodName, command: Sequence[str], is_over: Callable[[], bool], *, look_s: float
    ) -> Iterator[str]:
        """Yield each line that a command prints, until it ends, or is over: asked in silence, too.

        Raises as ``run`` does, but not for the code that it ends with.
        """
        rest = b""
        for channel, content in self._messages(name, command, look_s, is_over):
            if channel == _STDOUT:
                *whole, rest = (rest + content).split(b"\n")
                yield from map(_text, whole)

    def _messages(
        self,
        name: PodName,
        command: Sequence[str],
        timeout_s: float | None,
        is_over: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, bytes]]:
        """Yield what comes, with its stream, until all of them have ended, or it is over."""
        query = {
            "container": name.container,
            "command": list(command),
            "stdout": "1",
            "stderr": "1",
        }
        path = f"{name.path}/exec"
        asked = self.connection.alone.stream("POST", path, params=query, headers=_UPGRADE)
        with self.connection.translated(), asked as reply:
            if reply.status_code != _SWITCHED:
                reply.read()
                raise self.connection.refused(reply, f"a command in {name.pod}")
            server: socket.socket = reply.extensions["network_stream"].get_extra_info("socket")
            try:
                yield from _read(server, timeout_s, is_over)
            except TimeoutError:
                seen = f"it said nothing for {timeout_s:.0f} s"
                raise self._failed(name, command, seen) from None
            except OSError as error:
                seen = str(error) or "the connection was lost"
                raise self._failed(name, command, seen) from error

    def _code(self, name: PodName, command: Sequence[str], status: Mapping[str, Any]) -> int:
        if status.get("status") == "Success":
            return 0
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
        raise self._failed(name, command, str(status.get("message")))

    def _failed(self, name: PodName, command: Sequence[str], seen: str) -> ClusterError:
        return ClusterError(
            f"{command[0]!r} could not be run",
            where=f"pod {name.pod} of {name.namespace}",
            seen=seen,
        )


def _read(
    server: socket.socket, timeout_s: float | None, is_over: Callable[[], bool] | None
) -> Iterator[tuple[int, bytes]]:
    """Open the streams of a command, and yield what comes of each."""
    frames, left = Frames(), set(_STREAMS)
    server.settimeout(timeout_s)
    for stream, kind in _STREAMS.items():
        server.sendall(frames.opened(stream, {"streamtype": kind}))
    while left and not (is_over and is_over()):
        try:
            received = server.recv(_MOST_BYTES)
        except TimeoutError:
            if is_over:
                continue
            raise
        if not received:
            return
        for frame in frames.read(received):
            if isinstance(frame, bytes):
                server.sendall(frame)
            elif frame.stream not in _STREAMS:
                return  # the pod is gone
            else:
                yield frame.stream, frame.data
                if frame.ends:
                    left.discard(frame.stream)


def _text(said: bytes | bytearray) -> str:
    return said.decode(errors="replace")
