"""Threads: what a thread runs belongs to the test for which it was started.

A thread has context variables of its own, and unless Python is told otherwise (3.14) none of them
has the value it has where the thread is started. Ours is carried, and never the service's.
"""

from __future__ import annotations

from nomock_spy.contexts import BACKGROUND, Context, current, inherited
from nomock_spy.guard import swallow
from nomock_spy.hints import Any, Callable
from nomock_spy.standins import known_as, replace


def install(module: Any) -> None:
    """Let threading.Thread run in the context it is started in, also what overrides ``run``."""
    replace(module.Thread, "start", _in_context)


def _in_context(start: Any) -> Callable[..., Any]:
    def start_in_context(self: Any, *arguments: Any, **named: Any) -> Any:
        put_back: Callable[[], None] = _nothing
        try:
            context = current.get()
            if context is not BACKGROUND:
                put_back = _run_in(context, self)
        except BaseException as error:
            swallow(error)
        try:
            return start(self, *arguments, **named)
        except BaseException:
            put_back()
            raise

    return start_in_context


def _nothing() -> None:
    pass


def _run_in(context: Context, thread: Any) -> Callable[[], None]:
    """Have a thread run in a context; return what makes it as it was, which it does, too."""
    run, attributes = thread.run, vars(thread)
    own = {name: attributes[name] for name in ("run",) if name in attributes}

    def put_back() -> None:
        attributes.pop("run", None)
        attributes.update(own)

    def run_in_context() -> None:
        put_back()
        before, inherited_before = current.get(), inherited.get()
        current.set(context)
        inherited.set(context)
        try:
            run()
        finally:  # the service may have given the thread a context of its own
            current.set(before)
            inherited.set(inherited_before)

    attributes["run"] = known_as(run, run_in_context)  # past a __setattr__ of the service's
    return put_back
