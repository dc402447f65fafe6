"""In which order affected tests run: the likeliest to fail first, so that a failure comes early."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from nomock.coverage.affected.choose import Choice

# A request and its answer: what is quicker than that is not worth more.
_QUICK_S = 0.05


@dataclass(frozen=True)
class Past:
    """What is known of a test from the last run that it was part of."""

    took_s: float = 0.0
    failed: bool = False


def in_order(choice: Choice, tests: Iterable[str], past: Mapping[str, Past]) -> list[str]:
    """Return the chosen ones of some tests, the likeliest to fail in a short time first.

    Those that failed the last time, and those of a test file that changed, come before all others.
    Of equals the quicker one comes first, then the one that came first in ``tests``.
    """

    def place(test: str) -> tuple[bool, float, float]:
        known = past.get(test, Past())
        worth = choice.ties.get(test, 0.0) / sqrt(max(known.took_s, _QUICK_S))
        return (not (known.failed or test in choice.edited), -worth, known.took_s)

    return sorted((test for test in tests if test in choice.tests), key=place)
