"""The HTTP exchanges of the test that runs, in memory: a test that fails shows what it asked.

One test at a time runs in a process, so that one book for all clients is enough. It has a bound:
a test may ask as much as it likes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic

MOST_EXCHANGES = 200
"""Of a test that makes more, the newest."""
MOST_BODY_BYTES = 16 * 1024
"""Of a longer body the first; a megabyte of it tells a reader nothing more."""

Headers = tuple[tuple[str, str], ...]


@dataclass
class Body:
    """The begin of a body, and how long all of it is."""

    begin: bytes = b""
    length: int | None = None
    """None where it was a stream that nobody here has read."""

    @classmethod
    def of(cls, content: bytes) -> Body:
        """Keep what is to be kept of a body."""
        return cls(content[:MOST_BODY_BYTES], len(content))


@dataclass
class Exchange:
    """A request that was sent, and what came of it; times are of the monotonic clock."""

    method: str
    url: str
    headers: Headers
    body: Body
    began_s: float
    status: int | None = None
    """None without an answer."""
    answer_headers: Headers = ()
    answer: Body | None = None
    answered_s: float | None = None
    """When the headers of the answer were here."""
    ended_s: float | None = None
    """When all of it was, or when it was given up; None of a stream, and while it goes on."""
    error: str = ""
    """Why there is no answer, or only the begin of one."""


_kept: deque[Exchange] = deque(maxlen=MOST_EXCHANGES)
_begun = 0


def forget_exchanges() -> None:
    """Begin a new book, for the next test."""
    global _begun
    _kept.clear()
    _begun = 0


def kept_exchanges() -> tuple[list[Exchange], int]:
    """Return the newest of the test that runs, and how many older ones are not kept."""
    kept = list(_kept)
    return kept, max(0, _begun - len(kept))


def begin_exchange(method: str, url: str, headers: Headers, body: Body) -> Exchange:
    """Write down that a request is sent now."""
    global _begun
    exchange = Exchange(method, url, headers, body, monotonic())
    _begun += 1
    _kept.append(exchange)
    return exchange
