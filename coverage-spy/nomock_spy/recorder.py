"""Recording by ``sys.monitoring``: an event for each line of the app, until it has run once."""

from __future__ import annotations

import sys
from types import CodeType

from nomock_spy.appfiles import AppFiles
from nomock_spy.guard import is_ours, say
from nomock_spy.writer import Writer

# Looked for in this order: 3 and 4 belong to nobody; 1 is left to coverage.py, in case the
# service measures itself. https://docs.python.org/3.13/library/sys.monitoring.html
_TOOL_IDS = (4, 3, 5, 2, 0)

if sys.version_info >= (3, 12):

    def record(app_files: AppFiles, writer: Writer) -> None:
        """Record the lines of all code of the app that this process loads from now on.

        Only the app's own code is instrumented, piece by piece as it is loaded: the rest of the
        process runs as fast as ever. That it is loaded is learned from the audit event ``exec``,
        which Python raises for every piece of code it is about to run as a whole: modules,
        whichever loader they come from, and the script of ``python app.py`` and ``python -m``.
        """
        monitoring = sys.monitoring
        disable = monitoring.DISABLE
        line_event = monitoring.events.LINE
        tool_id = _free_tool_id()
        if tool_id is None:
            say("not recording: every tool id of sys.monitoring is taken")
            return
        seen: set[tuple[str, int]] = set()
        failures: set[str] = set()

        def failed(error: BaseException) -> None:
            if not is_ours(error):
                raise error
            if repr(error) not in failures and len(failures) < 10:
                failures.add(repr(error))
                say(f"lost a line: {error!r}")

        def on_line(code: CodeType, line: int) -> object:
            # The event is switched off for each place in the bytecode by itself; one line may
            # have several, hence the set.
            try:
                place = (code.co_filename, line)
                if place not in seen:
                    writer.line(*place)
                    seen.add(place)
            except BaseException as error:
                failed(error)
            return disable

        def watch(code: CodeType) -> None:
            monitoring.set_local_events(tool_id, code, line_event)
            for constant in code.co_consts:
                if isinstance(constant, CodeType):
                    watch(constant)

        def on_audit(event: str, arguments: tuple[object, ...]) -> None:
            if event != "exec":
                return
            try:
                code = arguments[0]
                if isinstance(code, CodeType) and code.co_filename in app_files:
                    watch(code)
            except BaseException as error:
                failed(error)

        monitoring.register_callback(tool_id, line_event, on_line)
        sys.addaudithook(on_audit)

    def _free_tool_id() -> int | None:
        for tool_id in _TOOL_IDS:
            if sys.monitoring.get_tool(tool_id) is None:
                sys.monitoring.use_tool_id(tool_id, "nomock-spy")
                return tool_id
        return None
