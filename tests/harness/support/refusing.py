"""A wire to the engine that answers some questions itself, as a busy engine would."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from threading import Thread

ENGINE = "/var/run/docker.sock"


@dataclass
class Refusals:
    """What is refused on the wire: questions whose first line has ``part``, so many times."""

    part: str
    status: int
    words: str
    times: int
    after: bool = False
    """Whether the engine does what it is asked, and only the answer is another."""
    given: list[str] = field(default_factory=list)
    """The first line of each question that was refused."""


@contextmanager
def refusing(refusals: Refusals) -> Iterator[str]:
    """Give the address of such a wire; all else passes to the real engine and back."""
    with (
        TemporaryDirectory() as folder,  # its path is short, as that of a socket has to be
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener,
    ):
        path = f"{folder}/wire"
        listener.bind(path)
        listener.listen(64)
        Thread(target=_accept, args=(listener, refusals), daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, refusals: Refusals) -> None:
    with suppress(OSError):  # it is closed
        while True:
            client, _ = listener.accept()
            Thread(target=_serve, args=(client, refusals), daemon=True).start()


def _serve(client: socket.socket, refusals: Refusals) -> None:
    begin = client.recv(1 << 16)
    line = begin.partition(b"\r\n")[0].decode()
    refused = refusals.part in line and len(refusals.given) < refusals.times
    if refused:
        refusals.given.append(line)
    if refused and not refusals.after:
        _refuse(client, refusals)
        return
    engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    engine.connect(ENGINE)
    engine.sendall(begin)
    # A question's body may come after its head: it is passed on also where the answer is not.
    there = Thread(target=_pass_on, args=(client, engine), daemon=True)
    there.start()
    if refused:
        engine.recv(1 << 16)
        _refuse(client, refusals)
        return
    _pass_on(engine, client)
    there.join()
    client.close()
    engine.close()


def _refuse(client: socket.socket, refusals: Refusals) -> None:
    body = json.dumps({"message": refusals.words}).encode()
    head = f"HTTP/1.1 {refusals.status} Refused\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    client.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
