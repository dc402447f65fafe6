"""Commands that run in pods, to their end, over a WebSocket: what `kubectl exec` does.

A message begins with its channel: 1 and 2 are the command's two streams, 3 is a Status object in
JSON, which says how it ended. https://kubernetes.io/blog/2024/08/20/websockets-transition/
"""

from __future__ import annotations

import json
import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from httpx2.websockets import HTTPXWSException, WebSocketDisconnect, WebSocketUpgradeError

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import PodName
from nomock.errors import ClusterError
from nomock.target import Executed

_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
_STDOUT, _STDERR, _STATUS = 1, 2, 3


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
        query = {
            "container": name.container,
            "command": list(command),
            "stdout": "1",
            "stderr": "1",
        }
        try:
            with (
                self.connection.translated(),
                self.connection.alone.websocket(
                    f"{name.path}/exec", params=query, subprotocols=_PROTOCOLS
                ) as session,
            ):
                while not said[_STATUS]:
                    message = session.receive_bytes(timeout_s)
                    said[message[0]] += message[1:]
        except WebSocketUpgradeError as error:
            error.response.read()
            raise self.connection.refused(error.response, f"a command in {name.pod}") from error
        except queue.Empty:
            raise self._failed(name, command, f"it said nothing for {timeout_s:.0f} s") from None
        except (WebSocketDisconnect, HTTPXWSException) as error:
            raise self._failed(name, command, str(error) or "the connection was lost") from error
        code = self._code(name, command, json.loads(said[_STATUS]))
        return Executed(code, _text(said[_STDOUT]), _text(said[_STDERR]))

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


def _text(said: bytearray) -> str:
    return said.decode(errors="replace")
