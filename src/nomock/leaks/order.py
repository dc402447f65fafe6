"""Which tests before a test make it end otherwise than alone: found by halving, in few runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def fewest(
    before: Sequence[str], does_it: Callable[[Sequence[str]], bool], *, most_runs: int
) -> list[str]:
    """Return the fewest tests found of which ``does_it`` is true, in their order.

    It is true of all of them. One test of N is found in twice log2 N runs at the most; several that
    do it only together take more, and after ``most_runs`` what is left then is returned.
    """
    place = {test: number for number, test in enumerate(before)}
    runs = 0

    def does(tests: list[str]) -> bool:
        nonlocal runs
        runs += 1
        return does_it(sorted(tests, key=place.__getitem__))

    def search(tests: list[str], beside: list[str]) -> list[str]:
        if len(tests) == 1 or runs >= most_runs:
            return tests
        one, other = tests[: len(tests) // 2], tests[len(tests) // 2 :]
        if does(other + beside):  # the nearer ones are likelier
            return search(other, beside)
        if does(one + beside):
            return search(one, beside)
        found = search(other, one + beside)
        return search(one, found + beside) + found

    return sorted(search(list(before), []), key=place.__getitem__)
