"""What was different when a test failed: told only where chance hardly explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from nomock.quality.results.rows import FAILED, Result
from nomock.quality.stability.chances import by_chance

_UNLIKELY = 0.05
_MOST_BEFORE = 3
"""Of how many tests it is asked whether they are the ones after which a test fails."""

Condition = tuple[str, Callable[[Result], bool]]


@dataclass(frozen=True)
class Difference:
    """A condition under which a test fails more often than without it."""

    what: str
    failed: int
    ran: int
    """With it."""
    other_failed: int
    other_ran: int
    """Without it."""
    by_chance: float
    """How probable so large a difference were by chance, corrected for all that was asked."""

    def __str__(self) -> str:
        return (
            f"{self.what}: failed {self.failed} of {self.ran}, "
            f"else {self.other_failed} of {self.other_ran} (p = {self.by_chance:.2g})"
        )


def differences(results: Sequence[Result]) -> list[Difference]:
    """Return what of a test's results goes along with its failures, the least likely chance first.

    Each condition is a question more, by one of which some chance would look like a reason; so the
    probability of each counts as many times as there are questions (Bonferroni's correction).
    """
    asked = []
    for what, holds in _conditions(results):
        is_red = [(holds(result), result.ended.outcome == FAILED) for result in results]
        with_ = [red for held, red in is_red if held]
        without = [red for held, red in is_red if not held]
        if with_ and without:
            asked.append((what, sum(with_), len(with_), sum(without), len(without)))
    found = []
    for what, failed, ran, other_failed, other_ran in asked:
        chance = min(1.0, by_chance(failed, ran, other_failed, other_ran) * len(asked))
        if chance < _UNLIKELY:
            if failed / ran < other_failed / other_ran:
                what = f"not {what}"
                failed, ran, other_failed, other_ran = other_failed, other_ran, failed, ran
            found.append(Difference(what, failed, ran, other_failed, other_ran, chance))
    return sorted(found, key=lambda one: one.by_chance)


def _conditions(results: Sequence[Result]) -> Iterator[Condition]:
    middle = median(result.ended.load for result in results)
    yield "in parallel", lambda r: r.facts.workers > 1
    yield "first in its worker", lambda r: r.ended.place == 0
    yield "in an order by chance", lambda r: r.facts.seed is not None
    yield f"under a load above {middle:.1f}", lambda r: r.ended.load > middle
    yield "with the cores kept busy", lambda r: r.facts.busy > 0
    yield "on a slow network", lambda r: r.facts.latency_ms > 0
    yield "with the coverage spy", lambda r: bool(r.facts.is_covered)
    yield "with traces", lambda r: bool(r.facts.is_traced)
    yield "in a sandbox", lambda r: r.facts.target != "compose"
    # Lanes are what workers have: without workers they are none.
    yield "with a stack of its own", lambda r: r.facts.workers > 1 and r.facts.lanes == "stack"
    yield (
        "with a database of its own",
        lambda r: r.facts.workers > 1 and r.facts.lanes == "database",
    )
    yield from _of_each("under", sorted({r.ended.faults for r in results} - {""}), _faults)
    yield from _of_each("in worker", sorted({r.ended.worker for r in results} - {0}), _worker)
    before = Counter(r.before for r in results if r.ended.outcome == FAILED and r.before)
    names = [name for name, _ in before.most_common(_MOST_BEFORE)]
    yield from _of_each("right after", names, _before)


def _of_each(
    word: str, values: Sequence[object], of: Callable[[Result], object]
) -> Iterator[Condition]:
    for value in values:
        yield f"{word} {value}", partial(_is, of, value)


def _is(of: Callable[[Result], object], value: object, result: Result) -> bool:
    return of(result) == value


def _faults(result: Result) -> str:
    return result.ended.faults


def _worker(result: Result) -> int:
    return result.ended.worker


def _before(result: Result) -> str:
    return result.before
