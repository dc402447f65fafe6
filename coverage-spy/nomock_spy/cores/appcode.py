"""Which code ``sys.monitoring`` watches: the app's, piece by piece as it is loaded.

The rest of the process runs as fast as ever. That code is loaded is learned from Python's audit
events: ``exec`` for every piece that is about to be run as a whole, modules, whichever loader they
come from, and the script of ``python app.py`` and ``python -m``; two more for what functions are
made of in other ways; and ``compile`` for what a server in C runs without telling.
"""

from __future__ import annotations

import sys

from nomock_spy import audit
from nomock_spy.appfiles import AppFiles
from nomock_spy.branches import Branches
from nomock_spy.guard import is_spys, swallow
from nomock_spy.hints import Callable, CodeType, FrameType

# Flags of code that is left and entered again: generators, coroutines, asynchronous generators.
_SUSPENDS = 0x20 | 0x80 | 0x200
# How many functions may begin between compiling a module and running it.
_MOST_STARTS = 500

if sys.version_info >= (3, 12):
    _LINE = sys.monitoring.events.LINE
    _START = sys.monitoring.events.PY_START
    BRANCHES: tuple[int, ...] = ()
    """The events of branches; none where Python has none that can be switched off one by one."""
    if sys.version_info >= (3, 14):
        BRANCHES = (sys.monitoring.events.BRANCH_LEFT, sys.monitoring.events.BRANCH_RIGHT)

    class AppCode:
        """Switches on the events of the app's code, and of no other."""

        def __init__(
            self,
            tool_id: int,
            app_files: AppFiles,
            branches: Branches,
            on_start: Callable[[CodeType, int], object],
        ) -> None:
            self._tool_id = tool_id
            self._app_files = app_files
            self._branches = branches
            self._on_start = on_start
            self._awaited = ""
            """The file whose code was compiled, and has not been run yet; empty: none."""
            self._starts = 0

        def listen(self) -> None:
            """Learn from now on which code is loaded; this cannot be taken back."""
            audit.listen("exec", self._on_exec)
            audit.listen("function.__new__", self._on_made)
            audit.listen("object.__setattr__", self._on_set)
            audit.listen("compile", self._on_compile)

        def _on_exec(self, arguments: tuple[object, ...], *, varies: bool = False) -> None:
            code = arguments[0]
            if isinstance(code, CodeType) and code.co_filename in self._app_files:
                if code.co_filename == self._awaited:
                    self._await("")
                if varies and BRANCHES:
                    self._branches.vary(code)
                self._watch(code)

        def _on_made(self, arguments: tuple[object, ...]) -> None:
            # FunctionType(code, ...), as copies of functions are made.
            self._on_exec(arguments, varies=True)

        def _on_set(self, arguments: tuple[object, ...]) -> None:
            # Code that replaces other code: types.coroutine does so.
            if arguments[1] == "__code__":
                self._on_exec(arguments[2:], varies=True)

        def _on_compile(self, arguments: tuple[object, ...]) -> None:
            # uWSGI and mod_wsgi compile their file and run it by functions of C, which raise no
            # event: so the first code that begins in that file is waited for.
            filename = arguments[1]
            if isinstance(filename, str) and filename in self._app_files and not _is_import():
                self._await(filename)

        def _await(self, filename: str) -> None:
            self._awaited, self._starts = filename, 0
            callback = self._on_any_start if filename else self._on_start
            sys.monitoring.register_callback(self._tool_id, _START, callback)
            sys.monitoring.set_events(self._tool_id, _START if filename else 0)

        def _on_any_start(self, code: CodeType, offset: int) -> object:
            try:
                self._starts += 1
                if code.co_filename == self._awaited:
                    self._await("")
                    self._watch(code)
                elif self._starts > _MOST_STARTS:
                    self._await("")
                if sys.monitoring.get_local_events(self._tool_id, code) & _START:
                    self._on_start(code, offset)
            except BaseException as error:
                swallow(error)
            return None

        def _watch(self, code: CodeType) -> None:
            if sys.monitoring.get_local_events(self._tool_id, code):
                return  # and all that is in it
            events = _LINE | _START if _works_on_its_first_line(code) else _LINE
            sys.monitoring.set_local_events(self._tool_id, code, sum(BRANCHES, events))
            if BRANCHES:
                self._branches.expect(code)
            for constant in code.co_consts:
                if isinstance(constant, CodeType):
                    self._watch(constant)

    def _is_import() -> bool:
        """Tell whether Python's import raises the event that is handled, behind which it runs."""
        frame: FrameType | None = sys._getframe()
        while frame is not None and is_spys(frame.f_code.co_filename):
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")

    def _works_on_its_first_line(code: CodeType) -> bool:
        """Tell whether code does something on the line that it begins on: ``lambda: 1``.

        Python has an event for a line where it comes to it from another one, and here the line
        before, that of the instruction RESUME, is the same.
        """
        for start, end, line in code.co_lines():
            if line is not None:
                # RESUME; in a generator or coroutine RETURN_GENERATOR and POP_TOP before it.
                preamble_bytes = 6 if code.co_flags & _SUSPENDS else 2
                return line == code.co_firstlineno and end - start > preamble_bytes
        return False
