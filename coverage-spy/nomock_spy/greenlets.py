"""Greenlets of gevent: what one runs belongs to the test for which it was spawned.

A greenlet begins with no context variables, like a thread.
"""

from __future__ import annotations

from contextvars import Context
from typing import Any

from nomock_spy.contexts import BACKGROUND, current
from nomock_spy.guard import swallow


def install(module: Any) -> None:
    """Have gevent tell of each greenlet that is about to be started."""
    module.Greenlet.add_spawn_callback(_carry)


def _carry(greenlet: Any) -> None:
    try:
        context = current.get()
        if context is not BACKGROUND and greenlet.gr_context is None:
            variables = Context()
            variables.run(current.set, context)
            greenlet.gr_context = variables
    except BaseException as error:
        swallow(error)
