"""multiprocessing.Queue: its thread, which the first item starts, belongs to no test."""

from __future__ import annotations

from nomock_spy.contexts import BACKGROUND
from nomock_spy.executors import within
from nomock_spy.hints import Any
from nomock_spy.standins import replace


def install(module: Any) -> None:
    """Let multiprocessing.queues.Queue start its thread in the background."""
    replace(module.Queue, "_start_thread", lambda start: within(start, lambda queue: BACKGROUND))
