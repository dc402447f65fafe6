"""The time of a test on the engine's clock, which need not be this machine's, nor go on evenly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from time import monotonic, time
from typing import Self

from nomock.moments import Moment
from nomock.polling import wait_until
from nomock.target import Container, Target

# What a service does that dies of a request may be seen by its client before it has ended.
_GRACE_S = 0.2
# The longest that the engine was seen to take for noticing an end is half a second, at load 8.
_LONGEST_END_S = 5.0
_PAUSE_S = 0.02
# Two clocks that differ by less are one; and nobody sets one by so little but to keep it right.
_SAME_CLOCK_S = 1.0


@dataclass(frozen=True)
class Span:
    """A fault that was on for a time, by the monotonic clock."""

    name: str
    where: str
    began_s: float
    ended_s: float | None = None
    """None while it is on."""


@dataclass(frozen=True)
class Window:
    """When a test began, when its evidence was taken, and how other moments lie to these."""

    began_s: float
    """The engine's time, in seconds since the epoch; so are the others."""
    since_s: float
    """From when on what happens is of the test: what the start of its stack did is not."""
    now_s: float
    ahead_s: float
    """How far the engine's clock is ahead of our monotonic one."""
    slack_s: float
    """How much ``ahead_s`` may be wrong."""

    set_s: float = 0.0
    """By how much the clock was set in the window: less than 0 where it was set back."""

    @classmethod
    def of(cls, target: Target, began: Moment, *, ready_s: float | None = None) -> Self:
        """Take the window that ends now; ``ready_s`` is of the monotonic clock."""
        asked_s = monotonic()
        now_s = target.now_s()
        told_s = monotonic()
        ahead_s = now_s - told_s
        since_s = began.monotonic_s if ready_s is None else max(began.monotonic_s, ready_s)
        # Another machine's clock may have been set as well: nobody knows.
        is_ours = abs(now_s - time()) < _SAME_CLOCK_S
        set_s = began.set_s if is_ours and abs(began.set_s) > _SAME_CLOCK_S else 0.0
        return cls(
            began.monotonic_s + ahead_s,
            since_s + ahead_s,
            now_s,
            ahead_s,
            told_s - asked_s,
            set_s,
        )

    @property
    def earliest_s(self) -> float:
        """The earliest that the clock can have said in the window."""
        return self.began_s - max(self.set_s, 0.0)

    def by_now(self, at_s: float) -> float:
        """Return what the clock would have said by now of a moment, if it was another one then."""
        was_before = at_s > self.now_s if self.set_s < 0 else self.earliest_s <= at_s < self.began_s
        return at_s + self.set_s if was_before else at_s

    @property
    def notice(self) -> str:
        """What to know where the clock was set; empty where it was not."""
        if not self.set_s:
            return ""
        how = "back" if self.set_s < 0 else "forward, or the machine slept,"
        return (
            f"it was set {how} by {abs(self.set_s):.0f} s while this test ran: of what happened to "
            "the services before that, the times may be wrong, and something may be missing"
        )

    def is_in(self, span: Span, at_s: float) -> bool:
        """Tell whether a moment of the engine's clock may have been while something was on."""
        since_s, slack_s = at_s - self.ahead_s, self.slack_s
        ended_s = span.ended_s
        return span.began_s <= since_s + slack_s and (
            ended_s is None or since_s <= ended_s + slack_s
        )

    def when(self, at_s: float) -> str:
        """Say a moment of the engine's clock as a reader counts: from the test's begin."""
        after_s = at_s - self.began_s
        if after_s >= 0:
            return f"at {after_s:.1f} s"
        before = f"{-after_s:.1f}" if after_s > -10 else f"{-after_s:.0f}"
        return f"{before} s before this test began"


def settle(target: Target, listed: Callable[[], list[Container]]) -> list[Container]:
    """Return the containers once none of them is about to end, or after five seconds.

    The engine notices an end late: a test that asked the service has failed by then.
    """
    containers: list[Container] = []

    def are_settled() -> bool:
        nonlocal containers
        containers = listed()
        return not any(target.is_ending(c.id) for c in containers if c.state == "running")

    Event().wait(_GRACE_S)
    wait_until(are_settled, within_s=_LONGEST_END_S, pause_s=_PAUSE_S)
    return containers
