"""Cores: how it is learned which lines run; one file each, by Python version."""

from __future__ import annotations

from nomock_spy.contexts import Context
from nomock_spy.hints import Protocol


class Core(Protocol):
    """What every core does. None of its methods raises for a reason of its own."""

    def start(self) -> bool:
        """Start recording, in contexts.BACKGROUND; return whether anything is recorded."""

    def began(self, activity: object, context: Context, *, write_through: bool) -> None:
        """Learn that an activity began: until it ends, what runs may belong to its context.

        ``write_through``: what it runs is to be on disk at once, since nobody will call flush.
        """

    def turned_write_through(self, activity: object, context: Context) -> None:
        """Learn that what an activity runs from now on is to be on disk at once."""

    def flush(self, context: Context) -> None:
        """Write down what ran in a context; it is on disk when this returns."""

    def ended(self, activity: object, context: Context) -> None:
        """Learn that an activity ended, and write down what ran in its context."""

    def server(self, name: str) -> None:
        """Learn that a server was found, whose requests have contexts."""

    def became(self, command: str) -> None:
        """Learn that this process is about to become another Python, by ``exec``."""

    def forked(self) -> None:
        """Learn that this process is the child of a fork: it has a file of records of its own."""
