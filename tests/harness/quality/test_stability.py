"""A test is flaky that passed and failed on the same tree; what goes along with it is no chance."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nomock.quality.results import Ended, Result, RunFacts
from nomock.quality.stability import stability_of
from nomock.quality.stability.chances import by_chance, interval


def result(
    run: int, outcome: str, tree: str = "a", test: str = "t.py::test", **more: Any
) -> Result:
    facts = RunFacts(tree, 0.0)
    ended = Ended(test, outcome, 0.1, 0, 0, 1.0)
    facts_names = {field.name for field in dataclasses.fields(RunFacts)}
    facts = dataclasses.replace(facts, **{k: v for k, v in more.items() if k in facts_names})
    rest = {k: v for k, v in more.items() if k not in facts_names | {"before"}}
    return Result(run, facts, dataclasses.replace(ended, **rest), more.get("before", ""))


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [  # R's binom.confint(hits, of, methods = "wilson")
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (3, 1000, 0.0010, 0.0088),
    ],
)
def test_interval_should_be_wilsons_when_a_share_is_given(
    hits: int, of: int, low: float, high: float
) -> None:
    assert interval(hits, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("table", "p"),
    [  # R's fisher.test
        ((1, 10, 11, 14), 0.002759),  # 1/9 and 11/3: the lady's diet, as Wikipedia has it
        ((3, 4, 1, 4), 0.485714),  # Fisher's own tea
        ((0, 5, 0, 7), 1.0),
        ((8, 10, 1, 9), 0.005477),
        ((2, 4, 2, 4), 1.0),
    ],
)
def test_chance_should_be_fishers_when_two_shares_are_given(
    table: tuple[int, int, int, int], p: float
) -> None:
    assert by_chance(*table) == pytest.approx(p, abs=1e-6)


def test_a_test_should_be_flaky_only_when_it_did_both_on_one_tree() -> None:
    results = [
        *(result(n, "failed" if n == 3 else "passed") for n in range(10)),
        result(10, "failed", tree="b", test="t.py::test_broken"),  # and mended on the next tree
        result(11, "passed", tree="c", test="t.py::test_broken"),
        result(12, "passed", tree="c", test="t.py::test_broken"),
        result(13, "skipped", tree="c", test="t.py::test_skipped"),
    ]
    found = stability_of(results)
    (flaky,) = found.flaky
    assert (flaky.test, flaky.failed, flaky.ran, flaky.trees) == ("t.py::test", 1, 10, 1)
    assert flaky.rate == 0.1
    assert (flaky.low, flaky.high) == interval(1, 10)
    assert (found.tests, found.results, found.runs, found.trees) == (2, 13, 13, 3)
    assert found.repeated == 2


def test_passes_on_later_trees_should_be_counted_when_a_flaky_test_is_perhaps_mended() -> None:
    results = [result(0, "failed"), result(1, "passed"), result(2, "passed")]
    results += [result(n, "passed", tree="b") for n in range(3, 7)]
    (flaky,) = stability_of(results).flaky
    assert (flaky.passed_since, flaky.ran) == (4, 3)


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ({"workers": 4}, "in parallel"),
        ({"place": 0}, "first in its worker"),
        ({"seed": 3}, "in an order by chance"),
        ({"load": 9.0}, "under a load above 1.0"),
        ({"busy": 8}, "with the cores kept busy"),
        ({"latency_ms": 50}, "on a slow network"),
        ({"is_covered": True}, "with the coverage spy"),
        ({"target": "sandbox"}, "in a sandbox"),
        ({"workers": 4, "lanes": "stack"}, "in parallel"),
        ({"faults": "latency of a->b"}, "under latency of a->b"),
        ({"worker": 2}, "in worker 2"),
        ({"before": "t.py::test_other"}, "right after t.py::test_other"),
    ],
)
def test_a_condition_should_be_told_when_failures_go_along_with_it(
    condition: dict[str, Any], what: str
) -> None:
    results = [result(n, "passed", **({"place": 1} | {})) for n in range(15)]
    results += [result(n, "failed", **({"place": 1} | condition)) for n in range(15, 20)]
    (flaky,) = stability_of(results).flaky
    assert what in [difference.what for difference in flaky.differences]
    difference = next(d for d in flaky.differences if d.what == what)
    assert (difference.failed, difference.ran) == (5, 5)
    assert (difference.other_failed, difference.other_ran) == (0, 15)
    assert difference.by_chance < 0.05


def test_a_condition_should_be_told_the_other_way_round_when_failures_are_without_it() -> None:
    results = [result(n, "passed", workers=2) for n in range(15)]
    results += [result(n, "failed") for n in range(15, 20)]
    (flaky,) = stability_of(results).flaky
    assert str(flaky.differences[0]) == (
        "not in parallel: failed 5 of 5, else 0 of 15 (p = 6.4e-05)"
    )


def test_nothing_should_be_told_when_chance_explains_the_difference() -> None:
    results = [result(n, "passed", workers=2 * (n % 2)) for n in range(10)]
    results += [result(n, "failed", workers=2) for n in range(10, 12)]
    (flaky,) = stability_of(results).flaky
    assert flaky.differences == ()


def test_few_conditions_should_be_told_when_many_are_asked_and_all_are_chance() -> None:
    # Workers and neighbours by turns, failures at random: without the correction some would do.
    red = {3, 11, 17, 26, 34}
    results = [
        result(
            n, "failed" if n in red else "passed", worker=1 + n % 5, workers=5, before=f"t{n % 7}"
        )
        for n in range(40)
    ]
    (flaky,) = stability_of(results).flaky
    assert flaky.differences == ()
