"""The little of SPDY/3.1 that a forwarded port needs: streams that open, and close by halves.

A cluster carries the frames inside of a WebSocket. Without them nobody would hear that the other
side has closed its half of a connection. https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_VERSION = 0x8003
_SYN_STREAM, _RST_STREAM, _PING, _GOAWAY = 1, 3, 6, 7
_FIN = 0x01
_HEAD = struct.Struct(">II")
_LENGTH = 0x00FFFFFF
_MOST_BYTES = 16 * 1024


@dataclass(frozen=True)
class Frame:
    """What came of a stream: some bytes, perhaps its end; or the end of all of them."""

    stream: int
    data: bytes
    ends: bool


@dataclass
class Frames:
    """Writes and reads the frames of one connection."""

    # Header blocks are one stream of zlib: each is what came since the last one. SPDY's dictionary
    # is left out, which a reader finds out by itself.
    _headers: zlib._Compress = field(default_factory=zlib.compressobj)
    _received: bytearray = field(default_factory=bytearray)

    def opened(self, stream: int, headers: Mapping[str, str]) -> bytes:
        """Return the frame that opens a stream; its number is odd, and greater than the last."""
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name, value):
                block += struct.pack(">I", len(text)) + text.encode()
        packed = self._headers.compress(block) + self._headers.flush(zlib.Z_SYNC_FLUSH)
        return _control(_SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + packed)

    def sent(self, stream: int, data: bytes) -> bytes:
        """Return the frames of some bytes."""
        cut = [data[at : at + _MOST_BYTES] for at in range(0, len(data), _MOST_BYTES)]
        return b"".join(_HEAD.pack(stream, len(part)) + part for part in cut)

    def ended(self, stream: int) -> bytes:
        """Return the frame that says that nothing more is sent on a stream."""
        return _HEAD.pack(stream, _FIN << 24)

    def read(self, received: bytes) -> Iterator[Frame | bytes]:
        """Yield the frames that are whole by now; bytes are an answer to send."""
        self._received += received
        while len(self._received) >= _HEAD.size:
            first, second = _HEAD.unpack_from(self._received)
            size = _HEAD.size + (second & _LENGTH)
            if len(self._received) < size:
                return
            body = bytes(self._received[_HEAD.size : size])
            del self._received[:size]
            if not first >> 31:
                yield Frame(first, body, bool(second >> 24 & _FIN))
            elif first & 0xFFFF == _PING:
                yield _control(_PING, body)
            elif first & 0xFFFF in (_RST_STREAM, _GOAWAY):
                yield Frame(0, b"", ends=True)


def _control(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(_VERSION << 16 | kind, len(body)) + body
