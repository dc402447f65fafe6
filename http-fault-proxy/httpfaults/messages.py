"""One direction of a connection, cut into heads and bodies; what cannot be read stays whole."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

from httpfaults.bodies import Body, MalformedError, UntilClose
from httpfaults.heads import MOST_BYTES, UnreadableError

Head = TypeVar("Head")


class Mark(Enum):
    """What is no bytes, between them."""

    END = "a message is over"
    UNREADABLE = "from here on there are only bytes"


class Messages(Generic[Head]):
    """Takes what arrives, gives heads, pieces of bodies (bytes) and marks.

    After a head that has a body, be it an empty one, `follows` must say which.
    """

    def __init__(self, parse: Callable[[bytes], Head], may_begin: Callable[[bytes], bool]) -> None:
        self._parse = parse
        self._may_begin = may_begin
        self._held = b""
        self._body: Body | None = None
        self._readable = True

    @property
    def held(self) -> int:
        """How many bytes wait for more of them, or to be asked for."""
        return len(self._held)

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._held = self._held + data if self._held else data

    def follows(self, body: Body) -> None:
        """Say what body follows the head that was given last."""
        self._body = body

    def end(self) -> None:
        """Take the end of the connection, by which some bodies end."""
        if isinstance(self._body, UntilClose):
            self._body.done = True

    def give_up(self) -> None:
        """Read no more: what comes is bytes."""
        self._readable = False

    def rest(self) -> bytes:
        """Give all that is held, as it is."""
        data, self._held = self._held, b""
        return data

    def take(self) -> Head | bytes | Mark | None:
        """Return the next piece of what arrived; None until more arrives."""
        if not self._readable:
            return self.rest() or None
        try:
            return self._head() if self._body is None else self._piece(self._body)
        except (UnreadableError, MalformedError):
            self._readable = False
            return Mark.UNREADABLE

    def _head(self) -> Head | None:
        end = self._held.find(b"\r\n\r\n") + 4
        if end > MOST_BYTES or (end < 4 and len(self._held) > MOST_BYTES):
            raise UnreadableError
        if end > 3:
            head = self._parse(self._held[:end])
            self._held = self._held[end:]
            return head
        if self._held and not self._may_begin(self._held):
            raise UnreadableError
        return None

    def _piece(self, body: Body) -> bytes | Mark | None:
        if body.done:
            self._body = None
            return Mark.END
        if not self._held:
            return None
        count = body.take(self._held)
        data, self._held = self._held[:count], self._held[count:]
        return data or None
