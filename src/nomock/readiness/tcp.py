"""Does something listen behind a published port?"""

from __future__ import annotations

import socket

from nomock.adapters.engine import Container
from nomock.readiness.probes import Answer

_CONNECT_TIMEOUT_S = 1.0
# The engine's own proxy accepts on a published port before anything listens in the container,
# and then closes. Who stays silent for this long has been connected through.
_SILENCE_S = 0.03


class Tcp:
    """Ready when a connection to the published port is accepted and stays open."""

    def __init__(self, port: int) -> None:
        self._port = port

    @classmethod
    def of(cls, rest: str) -> Tcp:
        """Make the probe of the setting ``tcp:PORT``, the port in the container."""
        return cls(int(rest))

    def ask(self, container: Container) -> Answer:
        """Connect once over loopback."""
        port = container.ports.get(self._port)
        if port is None:
            return Answer(False, f"port {self._port} is not published")
        try:
            with socket.create_connection(("127.0.0.1", port), _CONNECT_TIMEOUT_S) as connection:
                connection.settimeout(_SILENCE_S)
                open_still = bool(connection.recv(1))
        except TimeoutError:
            return Answer(True, f"port {self._port} open")
        except OSError as error:
            return Answer(False, f"port {self._port}: {error.strerror or error}")
        return Answer(open_still, f"port {self._port} " + ("open" if open_still else "closed"))
