"""Replace the services of which a change is known, while pytest still collects.

Only where that is simple: what a person has to be told, or takes a while, comes once tests are
chosen that need it. What it says comes then, too.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread

from nomock.errors import ComposeError, NomockError
from nomock.progress import Progress


class Ahead:
    """A thread that makes a stack ready, and what it has to say."""

    def __init__(self, prepare: Callable[[Progress], None], progress: Progress) -> None:
        """Begin; ``prepare`` gets a progress whose lines are kept until ``join``."""
        self._prepare = prepare
        self._progress = progress
        self._kept: list[str] | None = []
        """What is not said yet; None once all is said as it comes."""
        self._writing = Lock()
        self._error: NomockError | None = None
        self._thread = Thread(target=self._run, name="nomock-ahead", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, and say what it does; raises what it ended with.

        Where compose could not do it, that is nothing yet: it is tried again in the usual way.
        """
        with self._writing:
            for line in self._kept or ():
                self._progress.say(line)
            self._kept = None
        self._thread.join()
        if self._error is not None and not isinstance(self._error, ComposeError):
            raise self._error

    def end(self) -> None:
        """Wait for its end; what it did is of no interest any more."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._prepare(Progress(self._write, live_width=None))
        except NomockError as error:
            self._error = error

    def _write(self, text: str) -> None:
        with self._writing:
            if self._kept is not None:
                self._kept += text.splitlines()
                return
        for line in text.splitlines():
            self._progress.say(line)
