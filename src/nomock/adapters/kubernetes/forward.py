"""Ports of pods, brought to the loopback of this machine: what `kubectl port-forward` does.

A port is listened on once, and each connection looks for a pod of its service: a pod that is
replaced breaks the connections that it had, as a container would, and the address stays.
Each asks the cluster for a connection of its own that goes on as SPDY/3.1, with one stream for data
and one for what went wrong; one thread carries both directions, as a connection of TLS is to be
used by one at a time.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from select import select
from ssl import SSLWantReadError, SSLWantWriteError
from threading import Lock, Thread

import httpx2

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import PodName
from nomock.adapters.kubernetes.spdy import Frames
from nomock.errors import NomockError, UnpublishedError
from nomock.target import Address, Ports

_LOOPBACK = "127.0.0.1"
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "SPDY/3.1",
    "X-Stream-Protocol-Version": "portforward.k8s.io",
}
_SWITCHED = 101
_ERROR, _DATA = 1, 3
_MOST_BYTES = 64 * 1024
# Of one direction: who does not take it holds up the other side, as a connection does.
_MOST_WAITING = 1024 * 1024


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
        with closing(client), suppress(NomockError, httpx2.HTTPError, OSError):
            pod = self.pod_of(service)
            if pod is None:
                return
            asked = self.connection.alone.stream(
                "POST", f"{pod.path}/portforward", headers=_UPGRADE
            )
            with asked as reply:
                if reply.status_code == _SWITCHED:
                    server = reply.extensions["network_stream"].get_extra_info("socket")
                    _Carrying(client, server, target).run()


class _Carrying:
    """One connection, between a client of this machine and a port of a pod."""

    def __init__(self, client: socket.socket, server: socket.socket, target: int) -> None:
        self._client, self._server = client, server
        self._frames = Frames()
        self._to_client, self._to_server = bytearray(), bytearray()
        self._reads_client = True
        for stream, kind in ((_ERROR, "error"), (_DATA, "data")):
            headers = {"streamtype": kind, "port": str(target), "requestid": "0"}
            self._to_server += self._frames.opened(stream, headers)
        self._to_server += self._frames.ended(_ERROR)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for end in (client, server):
            end.setblocking(False)

    def run(self) -> None:
        """Carry until the pod has closed it, or the client has gone."""
        while True:
            waits = [self._server] if len(self._to_client) < _MOST_WAITING else []
            if self._reads_client and len(self._to_server) < _MOST_WAITING:
                waits.append(self._client)
            writes = [
                end
                for end, data in ((self._client, self._to_client), (self._server, self._to_server))
                if data
            ]
            ready, free, _ = select(waits, writes, [])
            if self._client in ready:
                self._from_client()
            if self._server in ready and not self._from_server():
                self._drain()
                return
            if self._client in free:
                _write(self._client, self._to_client)
            if self._server in free:
                _write(self._server, self._to_server)

    def _from_client(self) -> None:
        data = self._client.recv(_MOST_BYTES)
        self._to_server += self._frames.sent(_DATA, data) if data else self._frames.ended(_DATA)
        self._reads_client = bool(data)

    def _from_server(self) -> bool:
        """Read all that is there; False once nothing more comes."""
        while True:
            try:
                received = self._server.recv(_MOST_BYTES)
            except (BlockingIOError, SSLWantReadError, SSLWantWriteError):
                return True
            if not received:
                return False
            for frame in self._frames.read(received):
                if isinstance(frame, bytes):
                    self._to_server += frame
                elif frame.stream == _DATA:
                    self._to_client += frame.data
                    if frame.ends:
                        return False
                elif frame.data or frame.stream != _ERROR:
                    return False  # nobody listens there, or the pod is gone

    def _drain(self) -> None:
        """Give the client what came before the end."""
        self._client.setblocking(True)
        self._client.sendall(self._to_client)


def _write(end: socket.socket, data: bytearray) -> None:
    """Write as much as there is room for."""
    with suppress(BlockingIOError, SSLWantReadError, SSLWantWriteError):
        del data[: end.send(data)]


def _begin(what: Callable[..., None], *args: object) -> None:
    Thread(target=what, args=args, name="nomock-forward", daemon=True).start()
