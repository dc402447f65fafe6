"""Recording by ``sys.monitoring``: an event for each line of the app, for as long as it is news.

https://docs.python.org/3.13/library/sys.monitoring.html

An event that is switched off costs nothing, and is off for everybody. So it may be switched off
only for the one context that code runs for at that time, the *owner* of the events; with two tests
in flight all stay on. When the owner changes, all are switched on again, which costs as much as a
few hundred events: nothing is switched off before that many have been no news.

Branches are recorded likewise where Python has an event for each way that one can go (3.14): the
event that it had before can be switched off only when both ways were gone.
"""

from __future__ import annotations

import sys
from _thread import RLock
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

from nomock_spy import audit
from nomock_spy.appfiles import AppFiles
from nomock_spy.branches import Branches
from nomock_spy.contexts import BACKGROUND, Arc, Context, current
from nomock_spy.guard import say, swallow
from nomock_spy.settings import Settings
from nomock_spy.writer import Writer

_What = TypeVar("_What")

# How many events may be no news to their owner before the next such one is switched off.
_MANY = 1000
# Flags of code that is left and entered again: generators, coroutines, asynchronous generators.
_SUSPENDS = 0x20 | 0x80 | 0x200
# Looked for in this order: 3 and 4 belong to nobody; 1 is left to coverage.py, in case the
# service measures itself.
_TOOL_IDS = (4, 3, 5, 2, 0)

if sys.version_info >= (3, 12):
    _LINE = sys.monitoring.events.LINE
    _START = sys.monitoring.events.PY_START
    _BRANCHES: tuple[int, ...] = ()
    if sys.version_info >= (3, 14):
        _BRANCHES = (sys.monitoring.events.BRANCH_LEFT, sys.monitoring.events.BRANCH_RIGHT)

    class Monitoring:
        """Records the lines of all code of the app that this process loads from now on.

        Only the app's own code is instrumented, piece by piece as it is loaded: the rest of the
        process runs as fast as ever. That it is loaded is learned from the audit event ``exec``,
        which Python raises for every piece of code it is about to run as a whole: modules,
        whichever loader they come from, and the script of ``python app.py`` and ``python -m``.
        """

        def __init__(self, settings: Settings) -> None:
            self._writer = Writer(settings, "sys.monitoring", branches=bool(_BRANCHES))
            self._branches = Branches() if _BRANCHES else None
            self._app_files = AppFiles(settings.roots)
            self._tool_id = -1
            # Reentrant: a finalizer or a signal handler of the service may run while it is held.
            self._lock = RLock()
            self._running: dict[object, tuple[Context, bool]] = {}
            self._owner: Context | None = BACKGROUND
            self._last_owner = BACKGROUND
            self._no_news = 0
            self._switched_off = False

        def start(self) -> bool:
            """Start recording; return False where no tool id is free or no file can be written."""
            for tool_id in _TOOL_IDS:
                if sys.monitoring.get_tool(tool_id) is None:
                    break
            else:
                say("not recording: every tool id of sys.monitoring is taken")
                return False
            if not self._writer.open():
                return False
            sys.monitoring.use_tool_id(tool_id, "nomock-spy")
            self._tool_id = tool_id
            on_event = self._callback()
            for event in (_LINE, *_BRANCHES):
                sys.monitoring.register_callback(tool_id, event, on_event)
            sys.monitoring.register_callback(tool_id, _START, self._start_callback(on_event))
            self._run_canary()
            audit.listen("exec", self._on_exec)  # the last, as it cannot be taken back
            return True

        def began(self, activity: object, context: Context, *, direct: bool) -> None:
            """Learn that an activity began."""
            with self._lock:
                self._running[activity] = (context, direct)
                self._settle(context)

        def flush(self, context: Context) -> None:
            """Write down what ran in a context and is not written yet."""
            # A thread that finds nothing to write must not go on while another one writes it.
            with self._lock:
                fresh, fresh_arcs = context.fresh, context.fresh_arcs
                if not (fresh or fresh_arcs):
                    return
                lines: dict[str, int] = {}
                while fresh:  # not a new list in its place, to which a thread might not add
                    name, line = fresh.pop()
                    lines[name] = lines.get(name, 0) | 1 << line
                arcs: dict[str, set[Arc]] = {}
                while fresh_arcs:
                    name, taken = fresh_arcs.pop()
                    arcs.setdefault(name, set()).update(taken)
                self._writer.ran(context, lines, arcs)

        def ended(self, activity: object, context: Context) -> None:
            """Learn that an activity ended; what it left running is written line by line."""
            with self._lock:
                self._running.pop(activity, None)
                self._settle(context)
                self.flush(context)

        def server(self, name: str) -> None:
            """Record that a server was found."""
            self._writer.server(name)

        def forked(self) -> None:
            """Begin a file of the child's own."""
            self._lock = RLock()  # the parent's may have been held by another thread
            # An activity that forked ends in the parent; what of it runs here is written at once.
            for context, _ in self._running.values():
                context.direct = True
            self._running.clear()
            if self._writer.open():
                self._run_canary()

        def _settle(self, changed: Context) -> None:
            """Find out who owns the events, after an activity of a context came or went."""
            self._owner = None
            contexts = [context for context, _ in self._running.values()]
            changed.direct = all(
                direct for context, direct in self._running.values() if context is changed
            )
            # With nothing running nobody does, until something runs in the background.
            if contexts and all(context is contexts[0] for context in contexts):
                self._hand_over(contexts[0])
            elif contexts:
                self._switch_on()

        def _take_background(self) -> None:
            """Let the background own the events, since its code runs, and no test's."""
            if self._lock.acquire(blocking=False):
                try:
                    if not self._running:
                        self._hand_over(BACKGROUND)
                finally:
                    self._lock.release()

        def _hand_over(self, owner: Context) -> None:
            if owner is not self._last_owner:
                self._switch_on()
                self._last_owner = owner
            self._owner = owner

        def _switch_on(self) -> None:
            self._no_news = 0
            if self._switched_off:
                self._switched_off = False
                sys.monitoring.restart_events()

        def _callback(self) -> Callable[..., object]:
            # The hot path: what it uses is in cells, and it calls nothing of ours.
            disable = sys.monitoring.DISABLE
            context_of_this_code = current.get
            background = BACKGROUND

            def on_event(code: CodeType, place: int, destination: int | None = None) -> object:
                """Take a line; or, with a destination, a branch from one offset to another."""
                try:
                    context = context_of_this_code()
                    # By file: hashing a code object is slow, and id() raises an audit event.
                    seen: set[Any]
                    what: object
                    if destination is None:
                        seen, what = context.lines[code.co_filename], place
                    else:
                        seen = context.branches[code.co_filename]
                        what = (code.co_firstlineno, code.co_name, place, destination)
                    if what not in seen:
                        seen.add(what)
                        self._news(context, code, place, destination)
                    elif context is self._owner:
                        self._no_news += 1
                        if self._no_news > _MANY:
                            self._switched_off = True
                            # Nothing may come between this look and the return: with a call
                            # another thread could run, and begin a test that needs the event.
                            if context is self._owner:
                                return disable
                    elif context is background and self._owner is None and not self._running:
                        self._take_background()
                except BaseException as error:
                    swallow(error)
                return None

            return on_event

        def _news(
            self, context: Context, code: CodeType, place: int, destination: int | None
        ) -> None:
            """Record what ran in a context for the first time."""
            name, branches = code.co_filename, self._branches
            if destination is None:
                self._record(context, name, context.fresh, place)
                arcs = branches.arcs_of_line(code, place) if branches else ()
            else:
                arcs = branches.arcs(code, place, destination) if branches else ()
            if arcs:
                self._record(context, name, context.fresh_arcs, arcs)

        def _record(
            self, context: Context, name: str, fresh: list[tuple[str, _What]], what: _What
        ) -> None:
            fresh.append((name, what))
            if context.direct:  # asked behind that: a moment ago somebody may still have flushed
                self.flush(context)

        def _start_callback(self, on_event: Callable[..., object]) -> Callable[..., object]:
            if not self._branches:
                return lambda code, _: on_event(code, code.co_firstlineno)

            def on_start(code: CodeType, offset: int) -> object:
                of_line = on_event(code, code.co_firstlineno)
                # A lambda or a generator expression is no statement, and has no arcs.
                return of_line if code.co_name[0] == "<" else on_event(code, offset, offset)

            return on_start

        def _on_exec(self, arguments: tuple[object, ...]) -> None:
            code = arguments[0]
            if isinstance(code, CodeType) and code.co_filename in self._app_files:
                self._watch(code)

        def _watch(self, code: CodeType) -> None:
            events = _LINE | _START if _works_on_its_first_line(code) else _LINE
            sys.monitoring.set_local_events(self._tool_id, code, sum(_BRANCHES, events))
            if self._branches:
                self._branches.expect(code)
            for constant in code.co_consts:
                if isinstance(constant, CodeType):
                    self._watch(constant)

        def _run_canary(self) -> None:
            from nomock_spy.canary import run, sing

            self._watch(sing.__code__)
            run(self, self._writer)

    def _works_on_its_first_line(code: CodeType) -> bool:
        """Tell whether code does something on the line that it begins on: ``lambda: 1``.

        Python has an event for a line where it comes to it from another one, and here the line
        before, that of the instruction RESUME, is the same.
        """
        start, end, line = next(lines for lines in code.co_lines() if lines[2] is not None)
        # RESUME; in a generator or coroutine RETURN_GENERATOR and POP_TOP before it.
        preamble_bytes = 6 if code.co_flags & _SUSPENDS else 2
        return line == code.co_firstlineno and end - start > preamble_bytes
