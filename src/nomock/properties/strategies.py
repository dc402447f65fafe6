"""What tests of live stacks draw, beside schedules of faults."""

from __future__ import annotations

from nomock.adapters.hypothesis import st


def concurrency(most: int = 8) -> st.SearchStrategy[int]:
    """Return a strategy for how many requests are sent at the same moment: from 1 to ``most``."""
    return st.integers(1, most)


def latencies(most_ms: int = 1000) -> st.SearchStrategy[int]:
    """Return a strategy for latencies in ms, from 0, in steps that a machine can tell apart."""
    return st.integers(0, most_ms // _STEP_MS).map(lambda notch: notch * _STEP_MS)


_STEP_MS = 50
