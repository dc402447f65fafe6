"""One request of a browser, relayed: HTTP as the bytes came, all else through a tunnel.

https://www.rfc-editor.org/rfc/rfc9110#section-7.6 : what concerns one connection alone is not
relayed. A connection carries one request: on one that is used again, a browser repeats by itself a
request that got no answer, and a test would not know how many there were.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler
from threading import Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from nomock.adapters.exchanges import MOST_BODY_BYTES, Body, Exchange, Headers, begin_exchange
from nomock.browser.marks import marked, marked_head
from nomock.errors import NomockError

# As long as browsers wait for an answer.
TIMEOUT_S = 300.0
_CHUNK_BYTES = 64 * 1024
_OF_CONNECTION = {
    *("connection", "keep-alive", "proxy-connection", "proxy-authenticate"),
    *("proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
}
_WITHOUT_BODY = {204, 304}

Answered = Callable[[int, bytes], None]


@dataclass(frozen=True)
class Upstream:
    """Where a request goes on to."""

    host: str
    port: int
    sending: Callable[[str, str, bytes], Answered | None] | None = None
    """Of a service of the stack: what is to be called before; None of a stranger."""


class Handler(BaseHTTPRequestHandler):
    """Relays what one connection of the browser brings."""

    protocol_version = "HTTP/1.1"

    def _relay(self) -> None:
        self.close_connection = True
        asked = urlsplit(self.path)
        if asked.scheme != "http" or not asked.hostname:
            self.send_error(400, "a proxy is asked for http://HOST/PATH")
            return
        try:
            upstream = self._find(asked.hostname, asked.port or 80)
        except NomockError:
            return  # no answer, as from a service that is not there
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in _OF_CONNECTION]
        path = f"{asked.path or '/'}{'?' if asked.query else ''}{asked.query}"
        exchange = answered = None
        if upstream.sending is not None:
            headers = marked(headers)
            exchange = begin_exchange(self.command, self.path, tuple(headers), Body.of(body))
            answered = upstream.sending(self.command, asked.path, body)
        connection = HTTPConnection(upstream.host, upstream.port, timeout=TIMEOUT_S)
        try:
            connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body or None)
            begin = self._hand_on(connection.getresponse(), exchange)
        except (OSError, HTTPException) as error:
            _failed(exchange, error)
            return
        finally:
            connection.close()
        if answered is not None and exchange is not None and exchange.status is not None:
            answered(exchange.status, begin)

    def __getattr__(self, name: str) -> Callable[[], None]:
        # What BaseHTTPRequestHandler looks for: one for each method, which are all the same here.
        if name.startswith("do_"):
            return self._relay
        raise AttributeError(name)

    def _find(self, host: str, port: int) -> Upstream:
        server: Any = self.server  # ours, which the type of a handler does not know
        found: Upstream = server.find(host, port)
        return found

    def _hand_on(self, answer: HTTPResponse, exchange: Exchange | None) -> bytes:
        """Hand an answer on as it comes; return the begin of its body."""
        headers = tuple((n, v) for n, v in answer.getheaders() if n.lower() not in _OF_CONNECTION)
        _answered(exchange, answer.status, headers)
        has_body = self.command != "HEAD" and answer.status not in _WITHOUT_BODY
        # One of unknown length in chunks: so the browser sees when the end is missing.
        is_chunked = has_body and answer.getheader("Content-Length") is None
        more = [("Transfer-Encoding", "chunked")] if is_chunked else []
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{n}: {v}" for n, v in (*headers, *more, ("Connection", "close"))]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        begin, length = b"", 0
        while has_body and (data := answer.read1(_CHUNK_BYTES)):
            begin += data[: MOST_BODY_BYTES - len(begin)]
            length += len(data)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")
        if exchange is not None:
            exchange.answer, exchange.ended_s = Body(begin, length), monotonic()
        return begin

    def do_CONNECT(self) -> None:
        """Make a tunnel: for what is encrypted, and for WebSockets, whose request is marked."""
        self.close_connection = True
        host, _, port = self.path.rpartition(":")
        try:
            upstream = self._find(host.strip("[]"), int(port))
            there = socket.create_connection((upstream.host, upstream.port), TIMEOUT_S)
        except (NomockError, OSError, ValueError):
            return
        with there:
            there.settimeout(None)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if upstream.sending is not None:
                there.sendall(marked_head(self.connection))
            back = Thread(target=_copy, args=(there, self.connection), daemon=True)
            back.start()
            _copy(self.connection, there)
            back.join()

    def log_message(self, *_: Any) -> None:
        """Log nothing: the evidence has it."""


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _answered(exchange: Exchange | None, status: int, headers: Headers) -> None:
    if exchange is not None:
        exchange.status, exchange.answer_headers = status, headers
        exchange.answer, exchange.answered_s = Body(), monotonic()


def _failed(exchange: Exchange | None, error: Exception) -> None:
    if exchange is not None:
        exchange.ended_s = monotonic()
        exchange.error = f"{type(error).__name__}: {error}".rstrip(": ")
