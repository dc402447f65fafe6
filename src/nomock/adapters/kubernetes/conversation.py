"""A program in a pod that is talked to, line by line: what `kubectl attach --stdin` does.

Over a connection that goes on as SPDY/3.1, with a stream for each of the program's own and one for
what went wrong. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import PodName
from nomock.adapters.kubernetes.spdy import Frames
from nomock.errors import ClusterError

_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "SPDY/3.1",
    "X-Stream-Protocol-Version": "v4.channel.k8s.io",
}
_SWITCHED = 101
_ERROR, _STDIN, _STDOUT, _STDERR = 1, 3, 5, 7
_STREAMS = {_ERROR: "error", _STDIN: "stdin", _STDOUT: "stdout", _STDERR: "stderr"}
_MOST_BYTES = 64 * 1024


class PodConversation:
    """Lines to a program's standard input, and lines of its answers.

    Its standard input ends with this process, however that ends: the cluster gives it one that
    ends with the first who is attached.
    """

    def __init__(self, connection: Connection, name: PodName) -> None:
        """Attach to a container that runs. Raises ClusterError where the cluster does not let."""
        self.container_id = str(name)
        self._name = name
        self._opened = ExitStack()
        self._frames = Frames()
        self._said = ""
        self._unread = b""
        self._ended = False
        self._socket: socket.socket | None = self._attached(connection)
        for stream, kind in _STREAMS.items():
            self._socket.sendall(self._frames.opened(stream, {"streamtype": kind}))

    def ask(self, line: str, timeout_s: float) -> str:
        """Write a line to the program's standard input and return the next one of its output.

        Raises ClusterError when the program ended, did not answer in time, or was not heard to the
        end the last time.
        """
        with self._within(timeout_s) as (stream, deadline):
            stream.sendall(self._frames.sent(_STDIN, line.encode() + b"\n"))
            while b"\n" not in self._unread:
                self._read(stream, deadline)
            answer, _, self._unread = self._unread.partition(b"\n")
            return answer.decode(errors="replace")

    def close(self) -> None:
        """End the program's standard input."""
        self._socket = None
        self._opened.close()

    def _attached(self, connection: Connection) -> socket.socket:
        query = {
            "container": self._name.container,
            **dict.fromkeys(("stdin", "stdout", "stderr"), "1"),
        }
        path = f"{self._name.path}/attach"
        asked = connection.alone.stream("POST", path, params=query, headers=_UPGRADE)
        with connection.translated():
            reply = self._opened.enter_context(asked)
        if reply.status_code != _SWITCHED:
            with self._opened:
                reply.read()
                raise connection.refused(reply, f"POST {path}")
        found: socket.socket = reply.extensions["network_stream"].get_extra_info("socket")
        return found

    def _read(self, stream: socket.socket, deadline: float) -> None:
        """Read what there is; raise where nothing comes any more."""
        if self._ended:
            raise self._error("the program ended")
        stream.settimeout(max(0.001, deadline - monotonic()))
        received = stream.recv(_MOST_BYTES)
        self._ended = not received
        for frame in self._frames.read(received):
            if isinstance(frame, bytes):
                stream.sendall(frame)
            elif frame.stream == _STDOUT:
                self._unread += frame.data
                self._ended = self._ended or frame.ends
            elif frame.stream in (_STDERR, _ERROR):
                self._said += frame.data.decode(errors="replace")
            else:
                self._ended = self._ended or frame.ends

    @contextmanager
    def _within(self, timeout_s: float) -> Iterator[tuple[socket.socket, float]]:
        """Limit the time of a question; one that was broken off, by whatever, is the last one."""
        if self._socket is None:
            raise self._error("the conversation is over")
        try:
            self._socket.settimeout(timeout_s)
            yield self._socket, monotonic() + timeout_s
        except TimeoutError as error:
            self.close()
            raise self._error(f"the program did not answer within {timeout_s:g} s") from error
        except OSError as error:
            self.close()
            raise self._error("the program ended", str(error)) from error
        except BaseException:
            # Its answer, or the rest of it, would be taken for that to the next question.
            self.close()
            raise

    def _error(self, what: str, seen: str = "") -> ClusterError:
        where = f"container {self._name.container} of pod {self._name.pod}"
        return ClusterError(what, where=where, seen=self._said.strip() or seen)
