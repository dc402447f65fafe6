"""What can be said of a share of few: its interval, and whether two shares differ by chance."""

from __future__ import annotations

from math import comb, sqrt

_Z = 1.959964
"""So many standard deviations hold 95 % of the normal distribution."""


def interval(hits: int, of: int) -> tuple[float, float]:
    """Return between which shares the true one is, with a confidence of 95 %.

    Wilson's score interval, which is right for few and for shares near 0 and 1, too:
    E. B. Wilson, Journal of the American Statistical Association 22 (1927).

    >>> [round(share, 2) for share in interval(1, 10)]
    [0.02, 0.4]
    """
    share, z2 = hits / of, _Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def by_chance(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """Return how probable it is that two shares differ at least so much, were they the same one.

    Fisher's exact test, both sides: the tables with the same sums that are no more probable.

    >>> round(by_chance(8, 10, 1, 9), 4)
    0.0055
    """
    all_hits, all_ = hits + other_hits, of + other_of
    least, most = max(0, all_hits - other_of), min(of, all_hits)
    ways = {n: comb(of, n) * comb(other_of, all_hits - n) for n in range(least, most + 1)}
    return sum(way for way in ways.values() if way <= ways[hits]) / comb(all_, all_hits)
