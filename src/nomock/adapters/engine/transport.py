"""One request to the engine and its answer, with what can go wrong as errors of our own."""

from __future__ import annotations

import http.client
import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from nomock.adapters.engine.connection import Connection, endpoint
from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError

API = "/v1.44"
_ANSWER_TIMEOUT_S = 20.0


class Transport:
    """Asks one engine; it keeps no connection open and may be shared."""

    def __init__(self, address: str | None = None, *, timeout_s: float = _ANSWER_TIMEOUT_S) -> None:
        self.address = endpoint() if address is None else address
        self._timeout_s = timeout_s

    @contextmanager
    def _request(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> Iterator[http.client.HTTPResponse]:
        timeout_s = extra.get("timeout_s", self._timeout_s)
        connection = extra.get("connection") or Connection(self.address, timeout_s)
        if query:
            path += "?" + urlencode(query)
        body = json.dumps(extra["json"]) if "json" in extra else None
        headers = {"Content-Type": "application/json"} if body else extra.get("headers", {})
        try:
            connection.request(method, API + path, body, headers)
            yield connection.getresponse()
        except PermissionError as error:
            raise EngineForbiddenError(
                "permission denied on the engine's socket",
                where=f"engine at {self.address}",
                seen=str(error),
                todo="join the group docker (sudo usermod -aG docker $USER, log in again), "
                "or run as root",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            stdio = connection.stdio
            if isinstance(error, TimeoutError) or (stdio and stdio.timed_out):
                raise EngineError(
                    f"the engine did not answer within {timeout_s:g} s",
                    where=f"engine at {self.address}",
                    seen=f"{method} {path}",
                    todo="look at the engine's own log; restart it",
                ) from error
            raise EngineMissingError(
                "no container engine answers",
                where=f"engine at {self.address}",
                seen=(stdio.said if stdio else "") or str(error).strip() or type(error).__name__,
                todo="start it (Docker Desktop, or: systemctl start docker); "
                "./just starts or installs one where it can",
            ) from error
        finally:
            connection.close()

    def _call(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> Any:
        with self._request(method, path, query, **extra) as response:
            return self._answer(response, response.read(), f"{method} {path}")

    def _answer(self, response: http.client.HTTPResponse, body: bytes, asked: str) -> Any:
        if response.status >= 400:
            try:
                seen = json.loads(body)["message"]
            except (ValueError, KeyError):
                seen = body.decode(errors="replace")
            raise EngineError(
                f"the engine refused {asked} ({response.status})",
                where=f"engine at {self.address}",
                seen=seen,
            )
        return json.loads(body) if body else None


def demultiplexed(body: bytes, only: int | None = None) -> bytes:
    """Join the frames of a log stream, or those of one stream: 1 standard output, 2 error.

    A frame is a stream byte, three zeros, a length, the payload:
    https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Container/operation/ContainerAttach
    """
    parts, at = [], 0
    while at + 8 <= len(body):
        stream, length = struct.unpack(">BxxxL", body[at : at + 8])
        if only is None or stream == only:
            parts.append(body[at + 8 : at + 8 + length])
        at += 8 + length
    return b"".join(parts)
