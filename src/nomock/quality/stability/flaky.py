"""A test is flaky that passed and failed on the same git tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nomock.quality.results.rows import FAILED, PASSED, Result
from nomock.quality.stability.chances import interval
from nomock.quality.stability.differences import Difference, differences


@dataclass(frozen=True)
class Flaky:
    """A test that passed and failed on the same tree, by what it did on all such trees."""

    test: str
    failed: int
    ran: int
    low: float
    """With a confidence of 95 % it fails at least in this share of its runs, 0 to 1."""
    high: float
    """… and at most in this one."""
    trees: int
    """On how many trees it did both."""
    passed_since: int
    """How often it has passed on other trees since its last failure: perhaps it is mended."""
    seeds: tuple[int, ...]
    """The orders in which it failed, the last ones."""
    differences: tuple[Difference, ...]

    @property
    def rate(self) -> float:
        """The share of its runs in which it failed, 0 to 1."""
        return self.failed / self.ran


@dataclass(frozen=True)
class Stability:
    """How steady the tests are, and how much that is known by."""

    flaky: tuple[Flaky, ...]
    """Those that fail most often first."""
    tests: int
    results: int
    runs: int
    trees: int
    repeated: int
    """How many tests ran more than once on a tree: of the others nothing can be told."""


_MOST_SEEDS = 3


def stability_of(results: Iterable[Result]) -> Stability:
    """Return what results tell; those that neither passed nor failed tell nothing."""
    kept = [r for r in results if r.ended.outcome in {PASSED, FAILED}]
    by_test: dict[str, list[Result]] = defaultdict(list)
    for result in kept:
        by_test[result.ended.test].append(result)
    found, repeated = [], 0
    for test, own in by_test.items():
        by_tree: dict[str, list[Result]] = defaultdict(list)
        for result in own:
            by_tree[result.facts.tree].append(result)
        repeated += any(len(some) > 1 for some in by_tree.values())
        if flaky := _flaky(test, own, by_tree):
            found.append(flaky)
    return Stability(
        tuple(sorted(found, key=lambda one: (-one.rate, one.test))),
        tests=len(by_test),
        results=len(kept),
        runs=len({r.run for r in kept}),
        trees=len({r.facts.tree for r in kept}),
        repeated=repeated,
    )


def _flaky(
    test: str, own: Sequence[Result], by_tree: Mapping[str, Sequence[Result]]
) -> Flaky | None:
    mixed = {tree for tree, some in by_tree.items() if len({r.ended.outcome for r in some}) > 1}
    if not mixed:
        return None
    on_mixed = [r for r in own if r.facts.tree in mixed]
    red = [r for r in on_mixed if r.ended.outcome == FAILED]
    since = own[max(n for n, r in enumerate(own) if r.ended.outcome == FAILED) + 1 :]
    seeds = [r.facts.seed for r in red if r.facts.seed is not None]
    low, high = interval(len(red), len(on_mixed))
    return Flaky(
        test,
        len(red),
        len(on_mixed),
        low,
        high,
        trees=len(mixed),
        passed_since=sum(r.facts.tree not in mixed for r in since),
        seeds=tuple(dict.fromkeys(reversed(seeds)))[:_MOST_SEEDS],
        differences=tuple(differences(on_mixed)),
    )
