"""An engine on another machine: a relay of its socket on another address of this one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit

from nomock.adapters.engine import endpoint


@contextmanager
def relayed(host: str) -> Iterator[str]:
    """Give the relay's address, as DOCKER_HOST has it, while the block lasts."""
    with socket.create_server((host, 0)) as server:
        Thread(target=_accept, args=(server,), daemon=True).start()
        yield f"tcp://{host}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket) -> None:
    with suppress(OSError):  # it is closed
        while True:
            client = server.accept()[0]
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(urlsplit(endpoint()).path)
            for pair in ((client, engine), (engine, client)):
                Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
