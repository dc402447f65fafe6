"""Tokens that end soon: long enough to be used once, short enough to be waited for."""

from collections.abc import Callable
from typing import TypeVar

from helpers.eventually import eventually
from helpers.waits import LIFETIMES_S, SOON_S

Answer = TypeVar("Answer")


def answer_when_over(
    begin: Callable[[int], Callable[[], Answer]], accepted: Callable[[Answer], bool]
) -> Answer:
    """Return the answer to a token that is over, which was accepted while it lasted.

    `begin` makes a token of so many seconds, and returns what asks with it.
    """
    for lifetime_s in LIFETIMES_S:
        ask = begin(lifetime_s)
        if accepted(ask()):
            return _first_refusal(ask, accepted, lifetime_s)
    raise AssertionError(f"no token of up to {LIFETIMES_S[-1]} s was accepted at all")


def _first_refusal(
    ask: Callable[[], Answer], accepted: Callable[[Answer], bool], lifetime_s: int
) -> Answer:
    eventually(
        lambda: not accepted(ask()),
        within_s=lifetime_s + SOON_S,
        reason=f"a token of {lifetime_s} s should be refused when they are over",
    )
    return ask()
