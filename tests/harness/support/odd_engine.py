"""Something that answers in an engine's place, as a test says."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from threading import Thread

import pytest

from nomock.adapters.engine import Engine

Answer = Callable[[str], bytes]


def http(body: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    data = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


@pytest.fixture
def answering() -> Iterator[Callable[[Answer | bytes], Engine]]:
    """Returns an engine whose every request is answered with some bytes, and then closed."""
    with ExitStack() as opened:

        def serve(listening: socket.socket, answer: Answer) -> None:
            with suppress(OSError):  # the test is over
                while True:
                    connection, _ = listening.accept()
                    with closing(connection):
                        asked = connection.recv(65536).decode()
                        connection.sendall(answer(asked.split(" ")[1]))

        def start(answer: Answer | bytes) -> Engine:
            listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            opened.callback(listening.shutdown, socket.SHUT_RDWR)
            made = answer if callable(answer) else lambda path: answer
            Thread(target=serve, args=(listening, made), daemon=True).start()
            return Engine(f"tcp://127.0.0.1:{listening.getsockname()[1]}", timeout_s=5.0)

        yield start
