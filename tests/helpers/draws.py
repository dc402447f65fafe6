"""What the state machines draw alike."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

Thing = TypeVar("Thing")

PICKS = st.integers(0, 9)


def picked(some: Sequence[Thing], which: int) -> Sequence[Thing]:
    """Return one of some things, whatever number is drawn for it; none of none."""
    return [some[which % len(some)]] if some else []
