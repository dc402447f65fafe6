"""A real HTTP server in the test's process that answers as the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from nomock.adapters.http import Client, client

Reply = Callable[[int], int]
"""The number of a request, from 1 -> its status; 0 closes the connection without an answer."""


class Server:
    """Where it answers, what it was asked, and how it replies from now on."""

    def __init__(self, http: Client) -> None:
        self.http = http
        self.reply: Reply = lambda number: 200
        self.baggage: list[str] = []
        self.stored: list[str] = []
        """The paths of the requests that reached it."""
        self._lock = Lock()

    def take(self, path: str, baggage: str) -> int:
        """Note a request; return its number."""
        with self._lock:
            self.baggage.append(baggage)
            self.stored.append(path.strip("/"))
            return len(self.stored)


@contextmanager
def answering() -> Iterator[Server]:
    """Serve on a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status = server.reply(server.take(self.path, self.headers.get("baggage", "")))
            if not status:
                self.close_connection = True
                return
            body = b"" if status < 300 else b'{"code": "busy"}'
            with suppress(ConnectionError):  # who asked has gone away
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - http.server's own name

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = Thread(target=listening.serve_forever, args=[0.01], daemon=True)
        with client(f"http://127.0.0.1:{listening.server_port}") as http:
            server = Server(http)
            thread.start()
            try:
                yield server
            finally:
                listening.shutdown()
                thread.join()
