"""The stack of the settings, made ready once for all tests of a run that need it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from nomock.errors import NomockError
from nomock.plugin.ahead import Ahead
from nomock.plugin.coverage import Coverage
from nomock.plugin.workers_lanes import WorkersLanes
from nomock.progress import Progress
from nomock.stack import Stack

Say = Callable[[str], None]


class Preparing:
    """Makes the first stack ready, and lets the lanes of the workers begin."""

    def __init__(
        self,
        main: Callable[[], Stack],
        coverage: Callable[[], Coverage],
        begin: Callable[[Stack, Say], None],
        lanes: WorkersLanes,
        progress: Callable[[], Progress],
        who: str,
        ready: Callable[[Stack], None],
    ) -> None:
        """``begin`` is called before a stack is touched: it heals what killed runs left.

        ``ready`` is called when it is ready: it removes their data.
        """
        self._main = main
        self._coverage = coverage
        self._begin = begin
        self._lanes = lanes
        self._progress = progress
        self._who = who
        self._ready = ready
        self._ahead: Ahead | None = None
        """What makes the stack ready while pytest collects."""
        self.tried: Stack | None = None
        """The stack, once it was tried to make it ready."""
        self.is_done = False
        self.took_s = 0.0
        """How long the tests waited for it."""

    def ahead(self) -> None:
        """Begin to replace the services whose images alone changed, while pytest collects."""
        try:
            stack = self._main()  # made in this thread
        except NomockError:
            return  # which is said once a test needs it
        if stack.settings.stack != "attach":
            return

        def replace(progress: Progress) -> None:
            if stack.is_replaceable():
                self._by(progress, only_replace=True)

        self._ahead = Ahead(replace, self._progress())

    def now(self) -> None:
        """Make the stack ready, unless it is; raise NomockError."""
        began_s = monotonic()
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.join()
        elif self.is_done:
            return
        if not self.is_done:
            self._by(self._progress())
        self._lanes.begin()
        self.took_s = monotonic() - began_s

    def end(self) -> None:
        """Wait for what was begun ahead, and no test needed."""
        if self._ahead is not None:
            self._ahead.end()

    def _by(self, progress: Progress, *, only_replace: bool = False) -> None:
        stack = self.tried = self._main()
        self._coverage().check_overlay()
        # Before anybody waits for a service that a killed run left paused.
        self._begin(stack, progress.show)
        stack.prepare(
            progress.show,
            waiting=progress.show_waiting,
            warn=progress.show_lasting,
            who=self._who,
            before_start=self._coverage().before_start,
            when_built=lambda: self._lanes.tell("built"),
            only_replace=only_replace,
        )
        self._ready(stack)
        progress.end()
        for note in self._coverage().prove(stack):
            progress.say(note)
        self.is_done = True
