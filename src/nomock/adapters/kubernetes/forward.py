"""Ports of pods, brought to the loopback of this machine: what `kubectl port-forward` does.

A port is listened on once, and each connection looks for a pod of its service: a pod that is
replaced breaks the connections that it had, as a container would, and the address stays.
Each has a WebSocket of its own, with one stream for data and one for what went wrong. Clusters
carry that from 1.31 on: https://kubernetes.io/blog/2024/08/20/websockets-transition/
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from threading import Lock, Thread

import httpx2
from httpx2.websockets import HTTPXWSException, WebSocketSession
from wsproto.utilities import LocalProtocolError

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import PodName
from nomock.adapters.kubernetes.spdy import Frames
from nomock.errors import NomockError, UnpublishedError
from nomock.target import Address, Ports

_LOOPBACK = "127.0.0.1"
_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
_ERROR, _DATA = 1, 3
_MOST_BYTES = 64 * 1024
# What ends a connection, whichever side it comes from.
_BREAKS = (HTTPXWSException, httpx2.HTTPError, LocalProtocolError, OSError)


@dataclass
class Forwards:
    """The locator of one namespace: an address for each port that somebody asked for."""

    connection: Connection
    pod_of: Callable[[str], PodName | None]
    """Returns a running pod of a service, best one that is ready; None without one."""
    _addresses: dict[tuple[str, int], Address] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    elsewhere = None
    """Ports are on this machine's loopback."""

    def published(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        """Return where a port is reached; raises UnpublishedError for one that is not TCP's."""
        if protocol != "tcp":
            raise UnpublishedError(service, f"port {target}/{protocol}", (), self.line(target))
        with self._lock:
            if (service, target) not in self._addresses:
                self._addresses[service, target] = self._listen(service, target)
            return self._addresses[service, target]

    def reached(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        """Return where a port is reached: in a sandbox each TCP port is."""
        return self.published(service, ports, target, protocol)

    def shown(self, service: str, ports: Ports) -> list[str]:
        """Return the ports that were asked for, with where they are: ``8000->127.0.0.1:32768``."""
        with self._lock:
            own = {port: a for (name, port), a in self._addresses.items() if name == service}
        return [f"{port}->{address}" for port, address in sorted(own.items())]

    def line(self, target: int | str, protocol: str = "tcp") -> str:
        """Return the entry of a compose file's ``expose`` that would make a port known."""
        return f'"{target}"'

    def _listen(self, service: str, target: int) -> Address:
        listener = socket.create_server((_LOOPBACK, 0))
        _begin(self._accept, listener, service, target)
        return Address(_LOOPBACK, listener.getsockname()[1])

    def _accept(self, listener: socket.socket, service: str, target: int) -> None:
        while True:
            client, _ = listener.accept()
            _begin(self._serve, client, service, target)

    def _serve(self, client: socket.socket, service: str, target: int) -> None:
        """Carry one connection; without a pod it is closed, as a port is that nobody listens on."""
        with closing(client), suppress(NomockError, *_BREAKS):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pod = self.pod_of(service)
            if pod is None:
                return
            asked = self.connection.sockets.websocket(
                f"{pod.path}/portforward",
                subprotocols=[_PROTOCOL],
                keepalive_ping_interval_seconds=None,
            )
            with asked as session:
                frames = Frames()
                for stream, kind in ((_ERROR, "error"), (_DATA, "data")):
                    headers = {"streamtype": kind, "port": str(target), "requestid": "0"}
                    session.send_bytes(frames.opened(stream, headers))
                session.send_bytes(frames.ended(_ERROR))
                _begin(_send, client, session, frames)
                _receive(client, session, frames)
                # At once: to close a WebSocket takes its time, and the client waits for this.
                client.shutdown(socket.SHUT_RDWR)


def _begin(what: Callable[..., None], *args: object) -> None:
    Thread(target=what, args=args, name="nomock-forward", daemon=True).start()


def _send(client: socket.socket, session: WebSocketSession, frames: Frames) -> None:
    """Carry what the client says, to its end."""
    with suppress(*_BREAKS):
        while data := client.recv(_MOST_BYTES):
            session.send_bytes(frames.sent(_DATA, data))
        session.send_bytes(frames.ended(_DATA))


def _receive(client: socket.socket, session: WebSocketSession, frames: Frames) -> None:
    """Carry what the pod says, to its end."""
    while True:
        for frame in frames.read(session.receive_bytes()):
            if isinstance(frame, bytes):
                session.send_bytes(frame)
            elif frame.stream == _DATA:
                client.sendall(frame.data)
                if frame.ends:
                    return
            elif frame.data or frame.stream != _ERROR:
                return  # nobody listens there, or the pod is gone
