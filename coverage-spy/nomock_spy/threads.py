"""Threads: what a thread runs belongs to the test for which it was started.

A thread has context variables of its own, and unless Python is told otherwise (3.14) none of them
has the value it has where the thread is started. Ours is carried, and never the service's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.contexts import BACKGROUND, Context, current


def install(module: Any) -> None:
    """Let threading.Thread run in the context it is started in, also what overrides ``run``."""
    start = module.Thread.start

    def start_in_context(self: Any) -> None:
        context = current.get()
        if context is BACKGROUND:
            start(self)
            return
        run = self.run
        self.run = _in_context(self, run, context)
        try:
            start(self)
        except BaseException:
            self.run = run
            raise

    module.Thread.start = start_in_context


def _in_context(thread: Any, run: Callable[[], None], context: Context) -> Callable[[], None]:
    def run_in_context() -> None:
        del thread.run  # the class's again, and with it a circle of references
        before = current.set(context)
        try:
            run()
        finally:
            current.reset(before)  # the service may have given the thread a context of its own

    return run_in_context
