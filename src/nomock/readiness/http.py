"""Does a published port answer HTTP with success?"""

from __future__ import annotations

import http.client

from nomock.readiness.probe import ProbeAnswer
from nomock.readiness.published import published
from nomock.target import Container

_ANSWER_TIMEOUT_S = 2.0


class Http:
    """Ready when GET of a path answers 2xx or 3xx."""

    def __init__(self, port: int, path: str) -> None:
        self.port = port
        self._path = path

    @classmethod
    def of(cls, rest: str) -> Http:
        """Make the probe of the setting ``http:PORT/PATH``, the port in the container."""
        port, _, path = rest.partition("/")
        return cls(int(port), f"/{path}")

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Send one request to where the port is published."""
        address = published(container, self.port)
        if isinstance(address, ProbeAnswer):
            return address
        connection = http.client.HTTPConnection(*address, timeout=_ANSWER_TIMEOUT_S)
        try:
            connection.request("GET", self._path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return ProbeAnswer(
                False, f"GET :{self.port}{self._path}: {error or type(error).__name__}"
            )
        finally:
            connection.close()
        return ProbeAnswer(200 <= status < 400, f"GET :{self.port}{self._path}: {status}")
