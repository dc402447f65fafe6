"""How early the first red test comes, by the defects of tests/harness/defects.

Each is a patch of a service that names a test which it turns red. The suite runs once, covered, on
a copy of this repository with a stack of its own; that takes as long as `just
test-sidecar-coverage`, and is kept for the next time. After that nothing runs: for each patch the
tests are chosen, and what counts is how many of them, and how many seconds of tests, stand before
the named one, in the order of the suite and in that of `--affected`. Another test may be red before
that one, so the first failure comes no later than these figures say.
Figure (issue 13): the first red test comes in a tenth of the time, by the median.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from copies import copy_repository

from nomock.coverage.affected import Affected, Past, in_order
from nomock.coverage.session import data_dir
from nomock.errors import CoverageError
from nomock.loading import load
from nomock.plugin.history import tests_before

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Place:
    """Where a test stands: what runs before it."""

    tests: int
    took_s: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copy", type=Path, default=ROOT / ".nomock/bench-affected")
    parser.add_argument("--each", action="store_true", help="print each defect, too")
    chosen = parser.parse_args()
    copy: Path = chosen.copy.resolve()
    if not (copy / ".nomock/coverage/blocks.json").exists():
        _cover(copy)
    settings = load(copy, environ={})
    suite = {test: Past(*how) for test, how in tests_before(settings).items()}
    every = sum(past.took_s for past in suite.values())
    print(f"\nthe suite: {len(suite)} tests, {every:.0f} s, one after the other")
    before, now, counts, missed = [], [], [], []
    for patch in sorted((ROOT / "tests/harness/defects").glob("*.patch")):
        named = re.match(r"# turns red: (.+)", patch.read_text())
        assert named is not None, patch
        with _applied(copy, patch):
            choice = Affected(settings, data_dir(settings)).choose(list(suite), list(suite))
        # Nothing has failed lately: that is another reason to come first.
        order = in_order(choice, suite, suite)
        if not any(_is(test, named[1]) for test in order):
            missed.append(patch.stem)
            continue
        counts.append(len(order))
        before.append(_place([test for test in suite if test in choice.tests], named[1], suite))
        now.append(_place(order, named[1], suite))
        if chosen.each:
            print(
                f"  {patch.stem:45} {len(order):4} chosen; before it {before[-1].tests:4} tests "
                f"{before[-1].took_s:6.1f} s, now {now[-1].tests:4} tests {now[-1].took_s:6.1f} s"
            )
    print(f"\n{len(counts)} defects; chosen by median: {median(counts):.0f} tests")
    for title, places in (("in the suite's order", before), ("in that of --affected", now)):
        tests, times = [p.tests for p in places], [p.took_s for p in places]
        print(
            f"  before the named test, {title:22} tests: median {median(tests):5.0f}, mean "
            f"{mean(tests):5.0f}; seconds: median {median(times):6.1f}, mean {mean(times):6.1f}"
        )
    ratios = [median(p.took_s for p in places) for places in (now, before)]
    print(f"  ratio of the medians of seconds: {ratios[0] / ratios[1]:.2f}")
    print(f"  not chosen at all: {', '.join(missed) or 'none'}")


def _place(order: list[str], named: str, suite: dict[str, Past]) -> Place:
    ahead = order[: next(n for n, test in enumerate(order) if _is(test, named))]
    return Place(len(ahead), sum(suite[test].took_s for test in ahead))


def _is(test: str, named: str) -> bool:
    """Tell whether a test is the named one; a name without parameters is that of all of them."""
    return test == named or test.startswith(f"{named}[")


@contextmanager
def _applied(copy: Path, patch: Path) -> Iterator[None]:
    subprocess.run(["git", "apply", patch], cwd=copy, check=True)
    try:
        yield
    finally:
        subprocess.run(["git", "apply", "--reverse", patch], cwd=copy, check=True)


def _cover(copy: Path) -> None:
    """Run the suite covered, on a copy of the repository with a stack of its own."""
    copy_repository(copy)
    # A repository of its own: in that of another one, patches of files that it ignores do nothing.
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    pytest = [sys.executable, "-m", "pytest", "-q", "--nomock-sidecar-coverage"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COMPOSE_"))}
    try:
        print("the suite runs once, covered", flush=True)
        done = subprocess.run(pytest, cwd=copy, env=environ, check=False)
    finally:
        down = ["docker", "compose", "down", "--volumes", "--rmi", "local"]
        subprocess.run(down, cwd=copy, check=True, capture_output=True)
    if done.returncode not in {0, 1}:
        raise CoverageError("the covered run came to no end", where=str(copy))


if __name__ == "__main__":
    main()
