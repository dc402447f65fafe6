"""Prints what each way of calling puts on the wire, for no test and for one, as JSON."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable

import calls
from calls import ASYNCHRONOUS, BLOCKING, Request

heads: list[list[str]] = []


def listen(listener: socket.socket) -> None:
    """Keep the head of each request; a tunnel is refused, all else is answered."""
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            head = [line.decode("latin-1").strip() for line in iter(lines.readline, b"\r\n")]
            heads.append(head)
            status = b"502 No" if head[0].startswith("CONNECT") else b"200 OK"
            connection.sendall(
                b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )


def sent(call: Callable[[Request], object], request: Request) -> list[str]:
    """Return the one head that a call puts on the wire."""
    heads.clear()
    try:
        call(request)
    except calls.ERRORS:
        assert request.proxy
    (head,) = heads
    return head


def listening() -> str:
    """Listen from now on; return the URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listen, args=(listener,), daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def main(kind: str) -> None:
    here = listening()
    baggage = [("Baggage", "user=1;ttl=9")]
    request = {
        "plain": Request(here + "/path", [("X-One", "1")]),
        "baggage": Request(here + "/path", baggage),
        "tunnel": Request("https://elsewhere.example/path", baggage, proxy=here),
        "proxy": Request("http://elsewhere.example/path", baggage, proxy=here),
    }[kind]
    loop = asyncio.new_event_loop()
    ways: dict[str, Callable[[Request], object]] = dict(BLOCKING)
    for name, call in ASYNCHRONOUS.items():
        ways[name] = lambda request, call=call: loop.run_until_complete(call(request))
    found = {}
    for name, way in ways.items():
        without = sent(way, request)
        sys.audit("nomock.context", "nomock.test=a.py%3A%3Ab")
        found[name] = (without, sent(way, request))
        sys.audit("nomock.context", "")
    loop.run_until_complete(calls.close())
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
