"""The core that records nothing, and says why: where a Python has no way to be watched."""

from __future__ import annotations

from nomock_spy.contexts import Context
from nomock_spy.guard import say
from nomock_spy.settings import Settings
from nomock_spy.writer import Writer


class NoCore:
    """Leaves a file that gives the harvest the reason, and the service alone."""

    def __init__(self, settings: Settings, reason: str) -> None:
        self._reason = reason
        self._writer = Writer(settings, "", unsupported=reason)

    def start(self) -> bool:
        """Write the reason."""
        if self._writer.open():
            self._writer.release()
            say(f"not recording: {self._reason}")
        return False

    def began(self, activity: object, context: Context, *, write_through: bool) -> None:
        """Do nothing."""

    def turned_write_through(self, activity: object, context: Context) -> None:
        """Do nothing."""

    def flush(self, context: Context) -> None:
        """Do nothing."""

    def ended(self, activity: object, context: Context) -> None:
        """Do nothing."""

    def server(self, name: str) -> None:
        """Do nothing."""

    def became(self, command: str) -> None:
        """Do nothing."""

    def forked(self) -> None:
        """Do nothing."""
