"""One side of a connection: what asyncio tells of it, and what can be done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def _nothing(*_: Any) -> None:
    return


class Side(asyncio.Protocol):
    """The caller, or the service. It may say no more (`ended`) and still be spoken to."""

    def __init__(
        self,
        *,
        arrived: Callable[[bytes], None],
        ends: Callable[[], None],
        gone: Callable[[], None],
        flow: Callable[[], None],
        made: Callable[[], None] = _nothing,
    ) -> None:
        self.made = False
        self.ended = False
        self.full = False
        """More would only be heaped up: the other side is read no further."""
        self._arrived = arrived
        self._ends = ends
        self._gone = gone
        self._flow = flow
        self._made = made
        self._transport: Any = None

    def write(self, data: bytes) -> None:
        """Send; a side that is not there any more takes it without a word."""
        if data and self.made:
            self._transport.write(data)

    def end(self) -> None:
        """Say that no more will be sent."""
        if self.made:
            with suppress(OSError):  # it has gone, and will be heard of
                self._transport.write_eof()

    def close(self) -> None:
        """Send what is still to be sent, and hang up."""
        self.made = False
        if self._transport is not None:
            self._transport.close()

    def detach(self) -> None:
        """Hang up, and do not hear of it again."""
        self._arrived = self._ends = self._gone = self._flow = _nothing
        self.close()

    def linger(self, limit_s: float) -> None:
        """Hang up when the other side does; until then let it say what nobody hears.

        Hung up at once, what it still sends would destroy what it has not read yet.
        """
        self._arrived = self._gone = self._flow = _nothing
        self._ends = self.close
        self.read(True)
        self.end()
        asyncio.get_running_loop().call_later(limit_s, self.close)

    def read(self, wanted: bool) -> None:
        """Take what arrives, or leave it where it is."""
        if self._transport is not None and self._transport.is_reading() != wanted:
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.made = True
        self._made()

    def data_received(self, data: bytes) -> None:
        self._arrived(data)

    def eof_received(self) -> bool:
        self.ended = True
        self._ends()
        return True  # it is still spoken to

    def connection_lost(self, exc: Exception | None) -> None:
        self.made = False
        self._gone()

    def pause_writing(self) -> None:
        self.full = True
        self._flow()

    def resume_writing(self) -> None:
        self.full = False
        self._flow()
