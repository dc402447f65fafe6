"""Pools of threads: what is submitted for a test belongs to it, whichever thread runs it."""

from __future__ import annotations

from typing import Any

from nomock_spy.contexts import BACKGROUND, current


def install(module: Any) -> None:
    """Let concurrent.futures.thread run each piece of work in the context it was submitted in.

    That is also what ``loop.run_in_executor`` and ``asyncio.to_thread`` do. The pieces are taken,
    not the function that is submitted: it stays what subclasses, and other interpreters, expect.
    """
    work, pool = module._WorkItem, module.ThreadPoolExecutor
    initialize, run, add_thread = work.__init__, work.run, pool._adjust_thread_count

    def initialize_in_context(self: Any, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        self.nomock_context = current.get()

    def run_in_context(self: Any, *arguments: Any) -> None:
        before = current.set(self.nomock_context)
        try:
            run(self, *arguments)
        finally:
            current.reset(before)

    def add_thread_in_background(self: Any) -> None:
        # A thread of the pool outlives the test that needed one more.
        before = current.set(BACKGROUND)
        try:
            add_thread(self)
        finally:
            current.reset(before)

    work.__init__ = initialize_in_context
    work.run = run_in_context
    pool._adjust_thread_count = add_thread_in_background
