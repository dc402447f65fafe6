"""Recording by coverage.py's C tracer, for Python 3.9 to 3.11: a trace function in C.

Its collector knows one context at a time. Here each context has sets of lines of its own, and
whenever the tracer enters code of the app it is handed those of the context that runs. So a line
belongs to its test however many tests are in flight, as it does with sys.monitoring.

What ran is in memory until it is written: for a request before each part of its answer and at its
end; in between, and for everything else, at the audit events of Python (an import, a file, a
connection, a log record, …), where something new ran and a millisecond has passed since it was
looked for; and at the end of the process, ``os._exit`` included. So what SIGKILL, or a signal
without a handler, can take is what ran in the background, in a job, or behind the begin of an
answer, since the last of these, such as a computation that does nothing else.

Not seen: threads that are started in C until their first request, and what runs in a thread in
which the service sets a trace function of its own, such as a debugger's.
"""

from __future__ import annotations

import atexit
import os
import sys
from _thread import RLock
from sys import getrefcount
from time import monotonic

from nomock_spy.appfiles import AppFiles
from nomock_spy.contexts import BACKGROUND, Context
from nomock_spy.cores import Core
from nomock_spy.cores.none import NoCore
from nomock_spy.cores.tracers import Files, Tracers, load
from nomock_spy.guard import report_to, swallow
from nomock_spy.hints import Any, Callable, defaultdict
from nomock_spy.settings import Settings
from nomock_spy.standins import replace
from nomock_spy.writer import Writer

# How long it is not looked for news: of the background and of what is under way, which takes some
# microseconds, and of what tests left running, who may be many.
_PAUSE_S, _LONG_PAUSE_S = 0.001, 0.1
# Audit events that may be the last of this process, or of its memory.
_LAST_EVENTS = {"os.exec", "os.fork", "os.forkpty", "os.kill", "signal.pthread_kill"}
# No other thread may run during the first, see Tracers; the second is raised by guard.swallow.
_NOT_HEARD = {"sys.settrace", "object.__getattr__"}
# More than the tests that are remembered in activities, so that no context begins once more that
# was forgotten here.
_MOST_CONTEXTS = 128


def core(settings: Settings) -> Core:
    """Return the core, or one that says why there is none."""
    try:
        return CTracing(settings, load(settings.wheels))
    except ImportError as error:
        python = sys.version.split()[0]
        return NoCore(settings, f"Python {python} has no sys.monitoring, and {error}")


class _Record:
    """What is known of a context."""

    __slots__ = ("activities", "files", "written")

    def __init__(self) -> None:
        self.activities: dict[object, bool] = {}
        """Those that are under way, and whether they write through."""
        self.files: Files = {}
        """What ran. The sets only grow: what is added while they are written is found later."""
        self.written: defaultdict[str, set[int]] = defaultdict(set)
        """The lines that are written."""

    def is_in_use(self) -> bool:
        """Tell whether something may still be added, as a function that runs has one of the sets.

        Three others have it: the dictionary, this loop, and the call that counts.
        """
        return bool(self.activities) or any(getrefcount(seen) > 3 for seen in self.files.values())


class CTracing:
    """Records the lines of all code of the app that this process enters from now on."""

    def __init__(self, settings: Settings, module: object) -> None:
        self._writer = Writer(settings, "coverage.py")
        self._app_files = AppFiles(settings.roots, settings.modules)
        self._canary_file = ""
        # Reentrant: a finalizer or a signal handler of the service may run while it is held.
        self._lock = RLock()
        self._busy = False
        self._pid = os.getpid()
        self._look_again = self._look_at_idle = 0.0
        self._records = {BACKGROUND: _Record()}
        self._files = {BACKGROUND: self._records[BACKGROUND].files}
        self._tracers = Tracers(module, self._files, self._wants)

    def start(self) -> bool:
        """Start recording; return False where no file can be written."""
        if not self._writer.open():
            return False
        report_to(self._writer.lost)
        from nomock_spy.cores import canary

        self._canary_file = canary.__file__
        self._tracers.start()
        self._run_canary()
        atexit.register(self._write_last)
        self._write_before_exit()
        sys.addaudithook(self._on_audit)  # the last, as it cannot be taken back
        return True

    def began(self, activity: object, context: Context, *, write_through: bool) -> None:
        """Learn that an activity began."""
        if os.getpid() != self._pid:  # uWSGI makes its workers without Python's hooks
            self.forked()
        with self._lock:
            record = self._records.pop(context, None) or _Record()
            self._records[context] = record  # last: see _forget
            self._files[context] = record.files
            record.activities[activity] = write_through
            self._forget()
        self._tracers.here()
        if write_through:
            self._tracers.enter_again()

    def turned_write_through(self, activity: object, context: Context) -> None:
        """Do nothing: what is under way is looked at with each audit event."""

    def flush(self, context: Context) -> None:
        """Write down what ran in a context and is not written yet."""
        # A thread that finds nothing to write must not go on while another one writes it.
        with self._lock:
            record = self._records.get(context)
            if record is not None:
                self._write(context, record)

    def ended(self, activity: object, context: Context) -> None:
        """Learn that an activity ended; what it left running is written like the background."""
        with self._lock:
            record = self._records.get(context)
            write_through = record is not None and record.activities.pop(activity, False)
        if write_through:
            self._tracers.enter_again()
        self.flush(context)
        self.flush(BACKGROUND)

    def server(self, name: str) -> None:
        """Record that a server was found."""
        self._writer.server(name)

    def became(self, command: str) -> None:
        """Record that this process is about to become another Python."""
        self._writer.became(command)

    def forked(self) -> None:
        """Begin a file of the child's own."""
        self._pid = os.getpid()
        self._lock = RLock()  # the parent's may have been held by another thread
        self._busy = False
        self._tracers.forked()
        for record in self._records.values():
            record.activities.clear()  # they end in the parent
        if self._writer.open():
            self._run_canary()

    def _wants(self, filename: str) -> bool:
        return filename in self._app_files or filename == self._canary_file

    def _on_audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _NOT_HEARD:
            return
        try:
            now = monotonic()
            if now < self._look_again and event not in _LAST_EVENTS:
                return
            # Not in what the lock's holder does: writing is an event, too. Nor where a file is
            # begun: what were written by that event would have another file.
            if (
                not self._busy
                and not self._writer.is_opening
                and self._lock.acquire(blocking=False)
            ):
                idle = now >= self._look_at_idle or event in _LAST_EVENTS
                self._look_again = now + _PAUSE_S  # also where this goes wrong
                if idle:
                    self._look_at_idle = now + _LONG_PAUSE_S
                try:
                    self._write_all(idle=idle)
                finally:
                    self._lock.release()
        except BaseException as error:
            swallow(error)

    def _write_all(self, *, idle: bool = True) -> None:
        """Write down what ran; ``idle``: also for tests of which nothing is under way."""
        with self._lock:
            for context, record in list(self._records.items()):
                if idle or record.activities or context is BACKGROUND:
                    self._write(context, record)

    def _write(self, context: Context, record: _Record) -> None:
        new: dict[str, list[int]] = {}
        # Copied by calls into C, which no other thread can come between.
        for name, seen in tuple(record.files.items()):
            written = record.written[name]
            if len(seen) != len(written):
                new[name] = list(seen.difference(written))
        if new:
            self._busy = True
            try:
                self._writer.ran(context, new, {})
                # Behind it: a signal handler of the service may have raised before it.
                for name, lines in new.items():
                    record.written[name].update(lines)
            finally:
                self._busy = False

    def _write_last(self) -> None:
        try:
            self._write_all()
        except BaseException as error:
            swallow(error)

    def _write_before_exit(self) -> None:
        def make(leave: Callable[..., Any]) -> Callable[..., Any]:
            def write_and_exit(*arguments: Any, **named: Any) -> Any:
                self._write_last()
                return leave(*arguments, **named)

            return write_and_exit

        replace(os, "_exit", make)

    def _forget(self) -> None:
        """Forget the context that began longest ago, of those that nothing is added to."""
        if len(self._records) <= _MOST_CONTEXTS:
            return
        for context, record in tuple(self._records.items()):
            if context is not BACKGROUND and not record.is_in_use():
                self._files.pop(context, None)  # what still runs there is the background's
                self._write(context, record)
                del self._records[context]
                return

    def _run_canary(self) -> None:
        from nomock_spy.cores.canary import run

        run(self, self._writer)
