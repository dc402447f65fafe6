"""Where a message's body ends: by its length, by its last chunk, or with the connection."""

import re
from typing import Protocol

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_LONGEST_LINE = 16 * 1024


class MalformedError(Exception):
    """A body that breaks its own framing."""


class Body(Protocol):
    """Told what came, says how much of it belongs to the body."""

    done: bool

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are its own; raise MalformedError.

        What is left over is shown again, with what came after it, or is the next message's.
        """


class Length:
    """So many bytes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = size
        self.done = size == 0

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are its own."""
        count = min(len(data), self._left)
        self._left -= count
        self.done = self._left == 0
        return count


class UntilClose:
    """Everything that comes."""

    done = False

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are its own."""
        return len(data)


class Chunked:
    """Chunks, each after a line with its size; the last has size 0, and trailers follow it."""

    def __init__(self) -> None:
        self.done = False
        self._left = 0  # of the chunk that comes now, with the line end behind it
        self._trailers = False

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are its own: whole lines, and parts of chunks."""
        at = 0
        while not self.done and at < len(data):
            if self._left:
                count = min(len(data) - at, self._left)
                self._left -= count
                at += count
            elif (end := data.find(b"\n", at) + 1) == 0:
                if len(data) - at > _LONGEST_LINE:
                    raise MalformedError
                break
            else:
                self._line(data[at:end])
                at = end
        return at

    def _line(self, line: bytes) -> None:
        if self._trailers:
            self.done = line == b"\r\n"
        elif size := _CHUNK_SIZE.fullmatch(line):
            count = int(size[1], 16)
            self._left = count + 2 if count else 0
            self._trailers = count == 0
        else:
            raise MalformedError
