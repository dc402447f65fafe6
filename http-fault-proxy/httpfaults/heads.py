"""What the head of an HTTP/1 message says of itself and of the body that follows it.

https://www.rfc-editor.org/rfc/rfc9112
"""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from httpfaults.bodies import Body, Chunked, Length, UntilClose

MOST_BYTES = 64 * 1024
"""A longer head is passed on unread; servers refuse them far earlier."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([^\x00-\x20\x7f]+) HTTP/1\.([01])\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n")
# Of the fields, only those that decide anything here; a head is read on each request's way.
_FIELDS = re.compile(
    rb"\n(content-length|transfer-encoding|connection|expect|baggage):[ \t]*([^\r\n]*)",
    re.IGNORECASE,
)
_NO_BODY = frozenset({204, 304})
_TEST = "nomock.test"
_RUN = "nomock.run"
_OURS = {_TEST, _RUN}


class UnreadableError(Exception):
    """This is no HTTP/1 that everybody would read the same way: it is passed on as it is."""


class Origin(NamedTuple):
    """What a request says of where it comes from; None where it says nothing."""

    test: str | None
    run: str | None


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of a request; `raw` is all of it, the empty line too."""

    raw: bytes
    method: str
    path: str
    """Without the query, as it was sent: nothing is decoded."""
    body: Body
    keeps_alive: bool
    """Whether another request may follow on the connection."""
    fields: dict[bytes, bytes]

    def origin(self) -> Origin:
        """Return the test and the run that the baggage names."""
        found: dict[str, str] = {}
        for member in self.fields.get(b"baggage", b"").decode("latin-1").split(","):
            key, separator, value = member.partition("=")
            if separator and (key := key.strip()) in _OURS and key not in found:
                value = value.partition(";")[0].strip()
                found[key] = unquote(value, errors="surrogateescape")
        return Origin(found.get(_TEST), found.get(_RUN))

    @property
    def expects(self) -> bool:
        """Whether the client may hold its body back until it is asked for it."""
        return b"expect" in self.fields


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The head of a response."""

    raw: bytes
    status: int
    announced: Body | None
    """The body as its own fields have it."""

    @property
    def interim(self) -> bool:
        """Whether the answer itself is still to come."""
        return 100 <= self.status < 200 and self.status != 101

    def body(self, method: str) -> Body:
        """Return how the body ends that answers a request of this method."""
        if method == "HEAD" or self.status in _NO_BODY or self.status < 200:
            return Length(0)
        return self.announced or UntilClose()


def may_begin_request(begun: bytes) -> bool:
    """Tell whether these first bytes can still become a request that is read here."""
    line, newline, _ = begun.partition(b"\n")
    if newline:
        return _REQUEST_LINE.fullmatch(line + newline) is not None
    method, space, rest = line.partition(b" ")
    return re.fullmatch(_TOKEN, method) is not None and (not space or b"\x00" not in rest)


def may_begin_response(begun: bytes) -> bool:
    """Tell whether these first bytes can still become a response that is read here."""
    line, newline, _ = begun.partition(b"\n")
    if newline:
        return _STATUS_LINE.fullmatch(line + newline) is not None
    return line.startswith(b"HTTP/1."[: len(line)])


def request(raw: bytes) -> RequestHead:
    """Read the head of a request; raise UnreadableError."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise UnreadableError
    method, target, minor = line.groups()
    if method == b"CONNECT":
        raise UnreadableError
    fields = _fields(raw)
    return RequestHead(
        raw,
        method.decode(),
        _path(target.decode("latin-1")),
        _body(fields) or Length(0),
        _keeps_alive(fields, int(minor)),
        fields,
    )


def response(raw: bytes) -> ResponseHead:
    """Read the head of a response; raise UnreadableError."""
    line = _STATUS_LINE.match(raw)
    if line is None:
        raise UnreadableError
    return ResponseHead(raw, int(line[2]), _body(_fields(raw)))


def _path(target: str) -> str:
    if not target.startswith("/") and "://" in target:  # as it is sent to a forward proxy
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0]


def _fields(raw: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELDS.findall(raw):
        name, value = name.lower(), value.rstrip(b" \t")
        fields[name] = fields[name] + b"," + value if name in fields else value
    return fields


def _keeps_alive(fields: dict[bytes, bytes], minor: int) -> bool:
    said = {word.strip() for word in fields.get(b"connection", b"").lower().split(b",")}
    return b"close" not in said and (minor == 1 or b"keep-alive" in said)


def _body(fields: dict[bytes, bytes]) -> Body | None:
    """Return how the body ends, None where the head does not say it."""
    length = fields.get(b"content-length")
    if (encoding := fields.get(b"transfer-encoding")) is not None:
        # Both together, or another coding last: where such a body ends is a matter of opinion.
        if length is not None or encoding.lower() != b"chunked":
            raise UnreadableError
        return Chunked()
    if length is None:
        return None
    if not length.isdigit() or len(length) > 18:
        raise UnreadableError
    return Length(int(length))
