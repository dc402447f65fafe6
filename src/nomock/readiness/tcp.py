"""Does something listen behind a published port?"""

from __future__ import annotations

import socket
from time import monotonic

from nomock.readiness.probe import Listens, ProbeAnswer
from nomock.readiness.published import published
from nomock.target import Address, Container

_CONNECT_TIMEOUT_S = 1.0
# The engine's own proxy accepts on a published port before anything listens in the container,
# and then closes. Who stays silent has been connected through. On a busy machine the proxy needs
# its time to close, so that a short silence shows little: the container is asked then.
_SILENCE_S = 0.03
# Of a container that cannot be asked, and of one whose kernel does not know what we see.
_SURE_SILENCE_S = 0.3
_SURER_SILENCE_S = 3.0


class Tcp:
    """Ready when a connection to the published port is accepted and stays open."""

    def __init__(self, port: int, listens: Listens) -> None:
        self.port = port
        self._listens = listens
        self._held: dict[Address, tuple[socket.socket, float, float]] = {}
        self._proved: set[Address] = set()
        self._last_seen: dict[Address, str] = {}

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Connect to where the port is published, or look at one that is still silent."""
        address = published(container, self.port)
        if isinstance(address, ProbeAnswer):
            return address
        try:
            held = self._held.pop(address, None) or self._connect(address)
            connection, since_s, enough_s = held
            try:
                open_still = bool(connection.recv(1))
            except TimeoutError:
                if sure and address not in self._proved:
                    enough_s = enough_s or self._enough_s(container)
                    if monotonic() - since_s < enough_s:
                        self._held[address] = connection, since_s, enough_s
                        last = self._last_seen.get(address, f"port {self.port} accepts")
                        return ProbeAnswer(False, last)
                open_still = True
                self._proved.add(address)
            connection.close()
            seen = f"port {self.port} " + ("open" if open_still else "closed")
        except OSError as error:
            open_still, seen = False, f"port {self.port}: {error.strerror or error}"
        # What is told while the next connection is still silent, also when time is up.
        self._last_seen[address] = seen
        return ProbeAnswer(open_still, seen)

    def _connect(self, address: Address) -> tuple[socket.socket, float, float]:
        connection = socket.create_connection(address, _CONNECT_TIMEOUT_S)
        connection.settimeout(_SILENCE_S)
        return connection, monotonic(), 0.0

    def _enough_s(self, container: Container) -> float:
        """Return how long a connection has to be silent to show that something listens."""
        listens = self._listens(container, self.port)
        if listens is None:
            return _SURE_SILENCE_S
        return _SILENCE_S if listens else _SURER_SILENCE_S
