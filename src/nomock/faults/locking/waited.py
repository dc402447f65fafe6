"""For how long this process has waited for the tests of others, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

# What takes less is no wait.
_WAIT_S = 0.05

_waits: list[tuple[float, float]] = []


def waited_between(begin_s: float, end_s: float) -> float:
    """Return for how many seconds this process has waited for others, by the monotonic clock.

    What it had asked a service meanwhile may have met the fault of another test.
    """
    waited_s, upto_s = 0.0, begin_s
    for begin, end in sorted(_waits):
        begin, end = max(begin, upto_s), min(end, end_s)
        if end > begin:  # threads wait at the same time
            waited_s, upto_s = waited_s + end - begin, end
    return waited_s


@contextmanager
def waiting() -> Iterator[None]:
    """Note how long the block takes, as a wait."""
    began_s = monotonic()
    yield
    if monotonic() - began_s > _WAIT_S:
        _waits.append((began_s, monotonic()))
