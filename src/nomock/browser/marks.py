"""The marks of the running test on a browser's request."""

from __future__ import annotations

import socket

from nomock.baggage import BAGGAGE_HEADER
from nomock.tracecontext import TRACEPARENT_HEADER, trace_headers

_END = b"\r\n\r\n"
_MOST_BYTES = 64 * 1024


def marked(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of a request with the test's; what a page says of itself stays."""
    theirs = ",".join(value for name, value in headers if name.lower() == BAGGAGE_HEADER)
    ours = trace_headers(theirs)
    if any(name.lower() == TRACEPARENT_HEADER for name, _ in headers):
        ours.pop(TRACEPARENT_HEADER, None)  # a page that traces knows its span better
    return [(n, v) for n, v in headers if n.lower() not in ours] + list(ours.items())


def marked_head(connection: socket.socket) -> bytes:
    """Read what a tunnel begins with, and return it with the marks, if that is a request."""
    begin = b""
    while _END not in begin and len(begin) < _MOST_BYTES:
        data = connection.recv(_MOST_BYTES)
        begin += data
        # TLS begins with byte 22: a method of HTTP never does.
        if not data or not begin[:1].isupper():
            return begin
    head, end, rest = begin.partition(_END)
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    whole = "\r\n".join([first, *(f"{name}: {value}" for name, value in marked(pairs))])
    return whole.encode("latin-1") + end + rest
