"""Waiting for spans: until the expected are there, and then for a quiet period."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from nomock.traces import Span, Trace
from nomock.traces.waiting import Waiting

KNOWN = frozenset({"test"})
FIRST, SECOND = Span("1", "a", "test", "first"), Span("1", "b", "test", "second")
ORPHAN = Span("1", "b", "a", "below the first")


class Arrivals:
    """A trace whose spans arrive one after the other, each so many readings later."""

    def __init__(self, *steps: tuple[Span, ...]) -> None:
        self.steps = steps
        self.asked = 0

    def __call__(self) -> Trace:
        self.asked += 1
        return Trace("1", self.steps[min(self.asked, len(self.steps)) - 1], KNOWN)


def waiting(read: Callable[[], Trace], *, delay_s: float = 0.05, within_s: float = 5) -> Waiting:
    return Waiting(read, sent=lambda: 1, delay_s=delay_s, within_s=within_s)


def test_it_should_end_at_once_when_what_is_expected_is_there() -> None:
    read = Arrivals((), (FIRST,), (FIRST, SECOND))
    assert waiting(read).until(lambda trace: FIRST in trace.spans).spans == (FIRST,)
    assert read.asked == 2


def test_it_should_give_what_is_there_when_the_time_is_over() -> None:
    read = Arrivals((FIRST,))
    assert waiting(read, within_s=0.1).until(lambda trace: False).spans == (FIRST,)
    assert waiting(read, within_s=0.1).settled(lambda trace: False).spans == (FIRST,)


def test_a_late_span_should_be_in_it_when_it_comes_before_the_quiet_period_is_over() -> None:
    read, began = Arrivals((), (FIRST,), (FIRST,), (FIRST, SECOND)), monotonic()
    assert waiting(read).settled().spans == (FIRST, SECOND)
    assert monotonic() - began > 2 * 0.05


def test_a_span_below_one_that_has_not_ended_should_not_be_the_last_when_nothing_else_comes() -> (
    None
):
    # As long as the parent is not there its span has not ended: many readings without news.
    read = Arrivals(*[(ORPHAN,)] * 40, (FIRST, ORPHAN))
    assert waiting(read).settled().spans == (FIRST, ORPHAN)


def test_it_should_not_wait_again_when_nothing_was_sent_since() -> None:
    read = Arrivals((FIRST,))
    settled = waiting(read)
    settled.settled()
    asked = read.asked
    settled.settled()
    assert read.asked == asked + 1
