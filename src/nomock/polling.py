"""Asking again and again: for what the engine or a service does a few milliseconds later."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")


def wait_until(ask: Callable[[], T], *, within_s: float, pause_s: float = 0.005) -> T:
    """Ask until the answer is true or the time is over, and return the last answer.

    ``within_s`` and ``pause_s`` are in seconds. It is asked once at the least, and once more when
    the time is over, so that a process that was held up meanwhile is not told "no" too soon.
    """
    deadline, pause = monotonic() + within_s, Event()
    while True:
        is_late = monotonic() > deadline
        answer = ask()
        if answer or is_late:
            return answer
        pause.wait(pause_s)
