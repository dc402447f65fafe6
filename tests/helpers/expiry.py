"""Tokens that end soon: long enough to be used once, short enough to be waited for."""

from collections.abc import Callable
from typing import TypeVar

from helpers.eventually import eventually

Answer = TypeVar("Answer")

# A test may have to wait between its token and its first request, on a slow machine or for the
# fault of another test; then it tries again with a longer one.
_LIFETIMES_S = (2, 6, 18)


def answer_when_over(
    begin: Callable[[int], Callable[[], Answer]], accepted: Callable[[Answer], bool]
) -> Answer:
    """Return the answer to a token that is over, which was accepted while it lasted.

    `begin` makes a token of so many seconds, and returns what asks with it.
    """
    for lifetime_s in _LIFETIMES_S:
        ask = begin(lifetime_s)
        if accepted(ask()):
            return _first_refusal(ask, accepted, lifetime_s)
    raise AssertionError(f"no token of up to {_LIFETIMES_S[-1]} s was accepted at all")


def _first_refusal(
    ask: Callable[[], Answer], accepted: Callable[[Answer], bool], lifetime_s: int
) -> Answer:
    eventually(
        lambda: not accepted(ask()),
        within_s=lifetime_s + 8,
        reason=f"a token of {lifetime_s} s should be refused when they are over",
    )
    return ask()
