"""``nomock flaky``: the tests that passed and failed on the same git tree."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from nomock.adapters.git import tree_of
from nomock.cli.hunt import hunt
from nomock.cli.show import print_json, print_table
from nomock.config import Settings
from nomock.errors import QualityError
from nomock.quality.results import ResultsBook
from nomock.quality.stability import Stability, stability_of


def flaky(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print them, after a hunt where one is asked for."""
    if not tree_of(settings.root):
        raise QualityError(
            "which tests are flaky cannot be told without git",
            where=str(settings.root),
            seen="tests are compared on the same files, and no git tree says which those are",
            todo="make it a repository: git init; and end a merge that is not done",
        )
    if chosen.hunt is not None:
        hunt(
            settings,
            chosen.hunt,
            chosen.tests,
            most_runs=chosen.most_runs,
            first_seed=chosen.seed,
        )
    elif chosen.tests:
        raise QualityError(
            "only a hunt runs tests",
            where="nomock flaky",
            seen=" ".join(chosen.tests),
            todo="say for how long: nomock flaky --hunt 10m TESTS",
        )
    with ResultsBook.read(settings.state_dir) as book:
        found = stability_of(book.results())
    if chosen.json:
        print_json(_for_programs(found))
        return 0
    for line in summary(found):
        print(line)
    if found.flaky:
        print()
        _print(found)
    return 0


def summary(found: Stability) -> Iterator[str]:
    """Yield what is known, and by how much."""
    yield f"{found.results} results: {found.tests} tests, {found.runs} runs, {found.trees} trees"
    yield (
        f"{found.repeated} tests ran more than once on the same files; "
        f"{len(found.flaky) or 'none'} of them passed and failed there"
    )
    if found.runs > 1 and found.trees == found.runs:
        yield "-> each run had files of its own: is what runs write in .gitignore?"
    elif not found.repeated:
        yield "-> nothing to compare yet: run the tests again, or nomock flaky --hunt 10m"


def _print(found: Stability) -> None:
    rows = [
        (
            f"{one.failed} of {one.ran}",
            f"{one.rate:.0%}",
            f"{one.low:.0%} to {one.high:.0%}",
            one.test,
        )
        for one in found.flaky
    ]
    print_table(("failed", "rate", "95 % sure", "test"), rows)
    for one in found.flaky:
        lines = [f"  {difference}" for difference in one.differences]
        if one.seeds:
            lines.append(f"  it failed in the order of: --shuffle {one.seeds[0]}")
        if one.passed_since:
            lines.append(f"  passed {one.passed_since} times on other files since")
        if lines:
            print(f"\n{one.test}")
            print("\n".join(lines))


def _for_programs(found: Stability) -> object:
    told = asdict(found)
    for one, row in zip(found.flaky, told["flaky"], strict=True):
        row["rate"] = one.rate
    return told
