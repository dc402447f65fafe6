"""Ends a connection that no longer answers: at once, and without asking the other side."""

import os
import socket
from contextlib import suppress
from typing import Protocol


class Connection(Protocol):
    """A connection of psycopg, of either kind."""

    @property
    def closed(self) -> bool:
        """Whether it has ended."""

    def fileno(self) -> int:
        """Return its socket."""


def sever(conn: Connection) -> None:
    """Shut its socket down, so that whoever waits for an answer hears of it now."""
    # ENOTCONN: it has ended by itself.
    with suppress(OSError):
        if not conn.closed:
            with socket.socket(fileno=os.dup(conn.fileno())) as sock:
                sock.shutdown(socket.SHUT_RDWR)
