"""Recording by ``sys.monitoring``: an event for each line of the app, for as long as it is news.

https://docs.python.org/3.13/library/sys.monitoring.html

Branches are recorded likewise where Python has an event for each way that one can go (3.14): the
event that it had before can be switched off only when both ways were gone.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from itertools import chain

from nomock_spy.appfiles import AppFiles
from nomock_spy.branches import Branches
from nomock_spy.contexts import BACKGROUND, Arc, Branch, Context
from nomock_spy.cores.none import NoCore
from nomock_spy.guard import lose, report_to, swallow
from nomock_spy.hints import Any, Callable, CodeType, TypeVar
from nomock_spy.settings import Settings
from nomock_spy.writer import Writer

_What = TypeVar("_What")
_Seen = TypeVar("_Seen", bound="dict[Any, Any]")

# Looked for in this order: 3 and 4 belong to nobody; 1 is left to coverage.py, in case the
# service measures itself.
_TOOL_IDS = (4, 3, 5, 2, 0)
_NAME = "nomock-spy"

if sys.version_info >= (3, 12):
    from nomock_spy.cores.appcode import BRANCHES, AppCode
    from nomock_spy.cores.events import Events
    from nomock_spy.cores.undisturbed import do_what_waits, undisturbed

    _LINE = sys.monitoring.events.LINE
    _START = sys.monitoring.events.PY_START

    class Monitoring:
        """Records the lines of all code of the app that this process loads from now on."""

        def __init__(self, settings: Settings) -> None:
            self._settings = settings
            self._writer = Writer(settings, "sys.monitoring", branches=bool(BRANCHES))
            self._branches = Branches()
            self._app_files = AppFiles(settings.roots, settings.modules)
            self._tool_id = -1
            self._has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
            self._events = Events(has_gil=self._has_gil)
            # Reentrant: a finalizer or a signal handler of the service may run while it is held.
            self._flushing = RLock()
            self._pid = os.getpid()

        def start(self) -> bool:
            """Start recording; return False where no tool id is free or no file can be written."""
            for tool_id in _TOOL_IDS:
                if sys.monitoring.get_tool(tool_id) is None:
                    break
            else:
                return NoCore(self._settings, "every tool id of sys.monitoring is taken").start()
            if not self._writer.open():
                return False
            report_to(self._writer.lost)
            if not self._has_gil:
                lose("lines that two threads ran at once: this Python runs without the GIL")
            sys.monitoring.use_tool_id(tool_id, _NAME)
            self._tool_id = tool_id
            callbacks = self._callbacks()
            for event, callback in callbacks.items():
                sys.monitoring.register_callback(tool_id, event, callback)
            self._run_canary()
            # The last, as it cannot be taken back.
            AppCode(tool_id, self._app_files, self._branches, callbacks[_START]).listen()
            return True

        def began(self, activity: object, context: Context, *, write_through: bool) -> None:
            """Learn that an activity began."""
            if os.getpid() != self._pid:  # uWSGI makes its workers without Python's hooks
                self.forked()
            if sys.monitoring.get_tool(self._tool_id) != _NAME:
                lose("no line since the service has taken the spy's tool id of sys.monitoring")
            self._events.began(activity, context, write_through=write_through)

        def turned_write_through(self, activity: object, context: Context) -> None:
            """Learn that what an activity runs from now on is to be on disk at once."""
            self._events.turned_write_through(activity, context)

        def flush(self, context: Context) -> None:
            """Write down what ran in a context and is not written yet."""
            # A thread that finds nothing to write must not go on while another one writes it.
            if not context.fresh and not context.is_flushing:  # asked in this order
                return
            with self._flushing:
                context.is_flushing = True
                context.fresh = False
                try:
                    self._write(context)
                except BaseException:  # of a signal handler of the service
                    context.fresh = True
                    raise
                finally:
                    context.is_flushing = False

        def ended(self, activity: object, context: Context) -> None:
            """Learn that an activity ended; what it left running is written line by line."""
            self._events.ended(activity, context)
            self.flush(context)

        def server(self, name: str) -> None:
            """Record that a server was found."""
            self._writer.server(name)

        def became(self, command: str) -> None:
            """Record that this process is about to become another Python."""
            self._writer.became(command)

        def forked(self) -> None:
            """Begin a file of the child's own."""
            self._pid = os.getpid()
            self._flushing = RLock()  # another thread of the parent may have held it
            self._events.forked()
            if self._writer.open():
                self._run_canary()

        def _write(self, context: Context) -> None:
            lines = _new(context.lines, context.flushed_lines, list)
            taken = _new(context.branches, context.flushed_branches, _values)
            if lines or taken:
                arcs = {name: list(chain(*new)) for name, new in taken.items()}
                self._writer.ran(context, lines, arcs)
                # Behind it: a signal handler of the service may have raised before it.
                _count(context.flushed_lines, lines)
                _count(context.flushed_branches, taken)

        def _callbacks(self) -> dict[int, Callable[..., object]]:
            # The hot path: what it uses is in cells, and it calls nothing, see undisturbed.
            background = BACKGROUND
            events, no_news = self._events, self._events.no_news
            write, write_line = self._writer.ran, self._writer.ran_line
            branches, definitions = self._branches, self._branches.definitions

            @undisturbed
            def take(
                context: Context, name: str, branch: Branch, find: Callable[[], tuple[Arc, ...]]
            ) -> None:
                arcs: tuple[Arc, ...] = ()
                try:
                    do_what_waits()
                    arcs = find()
                finally:
                    context.branches[name][branch] = arcs
                if not context.write_through:
                    context.fresh = True
                if (
                    arcs and context.write_through
                ):  # asked behind that: a flush may have come before it
                    write(context, {}, {name: arcs})

            @undisturbed
            def on_line(code: CodeType, line: int) -> object:
                try:
                    context, name = background.here, code.co_filename
                    # By file: hashing a code object is slow, and id() raises an audit event.
                    seen = context.lines[name]
                    if line in seen:
                        if context is not background and context is not events.owner:
                            return None
                        return no_news(context)
                    seen[line] = None
                    if not context.write_through:
                        context.fresh = True
                    if context.write_through:  # asked behind that: a flush may have come before it
                        try:
                            do_what_waits()
                            write_line(context, name, line)
                        except BaseException:  # of a signal handler of the service
                            del seen[line]
                            raise
                    if definitions and (name, line) in definitions:
                        of_line = (line, code.co_name, -1, -1)
                        take(context, name, of_line, lambda: branches.arcs_of_line(code, line))
                except BaseException as error:
                    swallow(error)
                return None

            @undisturbed
            def on_branch(code: CodeType, source: int, destination: int) -> object:
                try:
                    context, name = background.here, code.co_filename
                    branch = (code.co_firstlineno, code.co_name, source, destination)
                    if branch in context.branches[name]:
                        if context is not background and context is not events.owner:
                            return None
                        return no_news(context)
                    take(context, name, branch, lambda: branches.arcs(code, source, destination))
                except BaseException as error:
                    swallow(error)
                return None

            @undisturbed
            def on_start(code: CodeType, offset: int) -> object:
                of_line = on_line(code, code.co_firstlineno)
                # A lambda or a generator expression is no statement, and has no arcs.
                if not BRANCHES or code.co_name[0] == "<":
                    return of_line
                return on_branch(code, offset, offset)

            return {_LINE: on_line, _START: on_start, **dict.fromkeys(BRANCHES, on_branch)}

        def _run_canary(self) -> None:
            from nomock_spy.cores.canary import probe, run

            # Lines alone: what a branch means takes a millisecond to load.
            sys.monitoring.set_local_events(self._tool_id, probe.__code__, _LINE)
            run(self, self._writer)

    def _new(
        seen: dict[str, _Seen], flushed: dict[str, int], copy: Callable[[_Seen], list[_What]]
    ) -> dict[str, list[_What]]:
        """Return what is new of each file, copied in one step: other threads may add to it.

        What was written through is among it, and written once more.
        """
        return {
            name: copy(found)[flushed.get(name, 0) :]
            for name, found in tuple(seen.items())
            if len(found) > flushed.get(name, 0)
        }

    def _values(found: dict[Any, _What]) -> list[_What]:
        return list(found.values())

    def _count(flushed: dict[str, int], new: dict[str, list[_What]]) -> None:
        for name, found in new.items():
            flushed[name] = flushed.get(name, 0) + len(found)
