"""How closely each test is tied to a change of a source file, by the lines of it that it ran.

A line counts by how few tests run it: what many run, mostly as set-up, says little of any of them.
A test that runs most of the file for some purpose of its own is tied less closely by each line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from math import sqrt

# What a line elsewhere in the changed file counts, beside one of the changed blocks.
_ELSEWHERE = 0.1


def ties(
    by_line: Mapping[int, Collection[str]], changed: Collection[int], tests: int
) -> dict[str, float]:
    """Return test -> how closely it is tied to the change; one that ran none of the file has none.

    ``by_line`` says which tests ran which line of the file, ``changed`` are the lines of its
    changed blocks, none where it changed outside of functions; ``tests`` is how many there are.
    """
    weights: dict[str, float] = defaultdict(float)
    lines: dict[str, int] = defaultdict(int)
    for line, ran in by_line.items():
        weight = tests / max(len(ran), 1) * (1 if not changed or line in changed else _ELSEWHERE)
        for test in ran:
            weights[test] += weight
            lines[test] += 1
    return {test: weight / sqrt(lines[test]) for test, weight in weights.items()}
