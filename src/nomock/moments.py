"""Moments by two clocks: one that others know, and one that nobody sets."""

from __future__ import annotations

from time import monotonic, time
from typing import NamedTuple


class Moment(NamedTuple):
    """A moment by our two clocks."""

    wall_s: float
    """Seconds since the epoch; this clock may be set, back as well, while a run goes on."""
    monotonic_s: float

    @property
    def set_s(self) -> float:
        """By how much the clock has been set since: less than 0 where it was set back.

        A machine that slept has its clock set forward, too.
        """
        return (time() - monotonic()) - (self.wall_s - self.monotonic_s)

    @property
    def earliest_s(self) -> float:
        """The earliest that the clock can have said since, in seconds since the epoch."""
        return min(self.wall_s, self.wall_s + self.set_s)


def now() -> Moment:
    """Return this moment."""
    return Moment(time(), monotonic())
