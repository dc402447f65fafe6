"""The one way to wait for what happens later: a question, a deadline and a reason."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(
    question: Callable[[], Answer], *, within_s: float, reason: str, every_s: float = 0.05
) -> Answer:
    """Return the first true answer to `question`; fail with the reason and the last answer."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not (answer := question()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"{reason}: not within {within_s} s; last answer: {answer!r}")
        pause.wait(every_s)
    return answer
