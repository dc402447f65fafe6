"""Pools of threads: what is submitted for a test belongs to it, whichever thread runs it."""

from __future__ import annotations

from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.guard import swallow
from nomock_spy.hints import Any, Callable
from nomock_spy.standins import replace

_CONTEXT = "nomock_context"
"""Where a piece of work keeps the context that it was submitted in."""


def install(module: Any) -> None:
    """Let concurrent.futures.thread run each piece of work in the context it was submitted in.

    That is also what ``loop.run_in_executor`` and ``asyncio.to_thread`` do. The pieces are taken,
    not the function that is submitted: it stays what subclasses, and other interpreters, expect.
    """
    work, pool = module._WorkItem, module.ThreadPoolExecutor
    run, add_thread = work.run, pool._adjust_thread_count  # each has to be there

    replace(work, "__init__", keeping_context)
    replace(work, "run", lambda _: within(run, context_of))
    # A thread of the pool outlives the test that needed one more.
    replace(pool, "_adjust_thread_count", lambda _: within(add_thread, lambda pool: BACKGROUND))


def keeping_context(initialize: Any) -> Callable[..., Any]:
    """Return an initializer after which an object knows the context that it was made in."""

    def initialize_in_context(self: Any, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        try:
            setattr(self, _CONTEXT, current.get())
        except BaseException as error:
            swallow(error)

    return initialize_in_context


def context_of(item: Any) -> Context | None:
    """Return the context that an object was made in, None where that is not known."""
    context: Context | None = getattr(item, _CONTEXT, None)
    return context


def within(method: Any, of: Callable[[Any], Context | None]) -> Callable[..., Any]:
    """Return a method that does what it does in another context than that of its caller."""

    def do_in_context(self: Any, *arguments: Any, **named: Any) -> Any:
        before = current.get()
        current.set(of(self) or before)
        try:
            return method(self, *arguments, **named)
        finally:
            current.set(before)

    return do_in_context
