"""A program in a container of its own that is talked to, line by line, for as long as it lives."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import SWITCHING_PROTOCOLS
from typing import IO, Any

from nomock.adapters.engine.alone import Alone
from nomock.adapters.engine.connection import Connection
from nomock.errors import EngineError

_STANDARD_OUTPUT = 1


class Conversation:
    """Lines to a program's standard input, and lines of its answers.

    The program's standard input ends with this process, however that ends; a program that heeds
    it is gone then, and the engine removes its container.
    """

    def __init__(
        self, container_id: str, connection: Connection, stream: IO[bytes], opened: ExitStack
    ) -> None:
        self.container_id = container_id
        self.said = ""
        """What the program wrote to standard error so far."""
        self._connection = connection
        self._stream = stream
        self._opened = opened
        self._unread = b""

    def ask(self, line: str, timeout_s: float) -> str:
        """Write a line to the program's standard input and return the next one of its output.

        Raises EngineError when the program ended, did not answer in time, or was not heard to the
        end the last time.
        """
        with self._within(timeout_s):
            self._connection.sock.sendall(line.encode() + b"\n")
            return self._line()

    def hear(self, timeout_s: float) -> str:
        """Return the next line of its output, unasked; raises as ``ask`` does."""
        with self._within(timeout_s):
            return self._line()

    def close(self) -> None:
        """End the program's standard input."""
        self._opened.close()

    def _line(self) -> str:
        while b"\n" not in self._unread:
            header = self._stream.read(8)
            if len(header) < 8:
                if self._connection.stdio and self._connection.stdio.timed_out:
                    raise TimeoutError
                raise self._error("the program ended")
            kind, length = struct.unpack(">BxxxL", header)
            payload = self._stream.read(length)
            if kind == _STANDARD_OUTPUT:
                self._unread += payload
            else:
                self.said += payload.decode(errors="replace")
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace")

    @contextmanager
    def _within(self, timeout_s: float) -> Iterator[None]:
        """Limit the time of a question; one that was broken off, by whatever, is the last one."""
        if self._connection.sock is None:
            raise self._error("the conversation is over")
        self._connection.sock.settimeout(timeout_s)
        try:
            yield
            self._connection.sock.settimeout(None)
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

    def _error(self, what: str, seen: str = "") -> EngineError:
        where = f"container {self.container_id[:12]}"
        return EngineError(what, where=where, seen=self.said.strip() or seen)


class Conversations(Alone):
    """Starts programs that are talked to."""

    def converse(
        self, image: str, command: Sequence[str], options: Mapping[str, Any], *, name: str
    ) -> Conversation:
        """Start a program in a container of its own, which is removed when it ends.

        ``options`` are more of the engine's own for a new container. Raises EngineError where it
        does not start: the image is not here, or has no such command.
        """
        asked: dict[str, Any] = {
            "Image": image,
            "Entrypoint": [command[0]],
            "Cmd": list(command[1:]),
            # The first one to be attached is the only one: with it, the input ends for good.
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Healthcheck": {"Test": ["NONE"]},
            **options,
        }
        # What is said passes through the engine only; by default it would keep all of it.
        host = {"AutoRemove": True, "LogConfig": {"Type": "none"}, **options.get("HostConfig", {})}
        asked["HostConfig"] = host
        id_ = self._created("/containers/create", asked, {"name": name})
        path = f"/containers/{id_}"
        opened = ExitStack()
        try:
            connection, stream = self._attached(f"{path}/attach", opened)
            if refusal := self._start_refusal(path):
                raise EngineError(
                    "the program does not start", where=f"image {image}", seen=refusal
                )
        except BaseException:
            opened.close()
            self._remove(path)
            raise
        return Conversation(id_, connection, stream, opened)

    def unstarted(self, label: str) -> dict[str, str]:
        """Return id -> the label's value of containers that have it and were never started."""
        filters = json.dumps({"label": [label], "status": ["created"]})
        found = self._all("/containers/json", {"all": "1", "filters": filters})
        return {container["Id"]: container["Labels"][label] for container in found}

    def beside(self, container_id: str, label: str) -> dict[str, str]:
        """Return the label of each running container that shares another one's network, by id."""
        filters = json.dumps({"label": [label]})
        found = self._all("/containers/json", {"filters": filters})
        network = f"container:{container_id}"
        return {
            c["Id"]: c["Labels"][label] for c in found if c["HostConfig"]["NetworkMode"] == network
        }

    def remove(self, container_id: str) -> None:
        """Remove a container, if it is still there."""
        self._remove(f"/containers/{container_id}")

    def _attached(self, path: str, opened: ExitStack) -> tuple[Connection, IO[bytes]]:
        """Turn a connection to the engine into one to a program's streams."""
        connection = Connection(self.address, self._timeout_s)
        query = {"stream": "1", "stdin": "1", "stdout": "1", "stderr": "1"}
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        asked = self._request("POST", path, query, connection=connection, headers=headers)
        response = opened.enter_context(asked)
        if response.status != SWITCHING_PROTOCOLS:
            self._answer(response, response.read(), f"POST {path}")
            raise EngineError(
                "the engine does not let a program be talked to",
                where=f"engine at {self.address}",
                seen=f"POST {path} was answered with {response.status}, not with 101",
                todo="a proxy between here and the engine may not pass an upgrade on",
            )
        return connection, response.fp
