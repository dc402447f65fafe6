"""Pools of threads: what is submitted for a test belongs to it, whichever thread runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.guard import swallow
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

    replace(work, "__init__", _keeping_context)
    replace(work, "run", lambda _: _within(run, lambda item: getattr(item, _CONTEXT, None)))
    # A thread of the pool outlives the test that needed one more.
    replace(pool, "_adjust_thread_count", lambda _: _within(add_thread, lambda pool: BACKGROUND))


def _keeping_context(initialize: Any) -> Callable[..., Any]:
    def initialize_in_context(self: Any, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        try:
            setattr(self, _CONTEXT, current.get())
        except BaseException as error:
            swallow(error)

    return initialize_in_context


def _within(method: Any, context_of: Callable[[Any], Context | None]) -> Callable[..., Any]:
    """Return a method that does what it does in another context than that of its caller."""

    def do_in_context(self: Any, *arguments: Any, **named: Any) -> Any:
        before = current.get()
        current.set(context_of(self) or before)
        try:
            return method(self, *arguments, **named)
        finally:
            current.set(before)

    return do_in_context
