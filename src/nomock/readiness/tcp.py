"""Does something listen behind a published port?"""

from __future__ import annotations

import socket
from time import monotonic

from nomock.adapters.engine import Container
from nomock.readiness.probes import Answer

_CONNECT_TIMEOUT_S = 1.0
# The engine's own proxy accepts on a published port before anything listens in the container,
# and then closes. Who stays silent has been connected through. On a busy machine the proxy needs
# its time to close, so that a short silence shows little.
_SILENCE_S = 0.03
_SURE_SILENCE_S = 0.3


class Tcp:
    """Ready when a connection to the published port is accepted and stays open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._held: dict[int, tuple[socket.socket, float]] = {}
        self._proved: set[int] = set()
        self._last_seen: dict[int, str] = {}

    @classmethod
    def of(cls, rest: str) -> Tcp:
        """Make the probe of the setting ``tcp:PORT``, the port in the container."""
        return cls(int(rest))

    def ask(self, container: Container, *, sure: bool) -> Answer:
        """Connect over loopback, or look at the connection that is still silent."""
        port = container.published(self._port)
        if port is None:
            return Answer(False, f"port {self._port} is not published")
        try:
            held = self._held.pop(port) if port in self._held else self._connect(port)
            connection, since_s = held
            try:
                open_still = bool(connection.recv(1))
            except TimeoutError:
                silent_s = monotonic() - since_s
                if sure and port not in self._proved and silent_s < _SURE_SILENCE_S:
                    self._held[port] = connection, since_s
                    return Answer(False, self._last_seen.get(port, f"port {self._port} accepts"))
                open_still = True
                self._proved.add(port)
            connection.close()
            seen = f"port {self._port} " + ("open" if open_still else "closed")
        except OSError as error:
            open_still, seen = False, f"port {self._port}: {error.strerror or error}"
        # What is told while the next connection is still silent, also when time is up.
        self._last_seen[port] = seen
        return Answer(open_still, seen)

    def _connect(self, port: int) -> tuple[socket.socket, float]:
        connection = socket.create_connection(("127.0.0.1", port), _CONNECT_TIMEOUT_S)
        connection.settimeout(_SILENCE_S)
        return connection, monotonic()
