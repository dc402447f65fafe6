"""The arguments of the commands about the quality of tests."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from nomock.cli.durations import duration
from nomock.cli.flaky import flaky
from nomock.cli.quality import quality
from nomock.cli.risk import risk
from nomock.cli.sandbox_line import of_programs

Add = Callable[[str, Callable[..., int], str], argparse.ArgumentParser]


def add_quality(add: Add) -> None:
    """Add the commands."""
    flaky_ = add("flaky", flaky, "the tests that passed and failed on the same git tree, and why")
    flaky_.add_argument(
        "--hunt",
        type=duration,
        metavar="TIME",
        help="first run them again and again for so long: shuffled, on busy cores, a slow network",
    )
    flaky_.add_argument("--most-runs", type=int, metavar="N", help="… but no more often")
    flaky_.add_argument(
        "--seed", type=int, metavar="SEED", help="the first order of a hunt; the next ones follow"
    )
    flaky_.add_argument(
        "tests", nargs=argparse.REMAINDER, metavar="…", help="for pytest, in a hunt"
    )
    of_programs(flaky_)
    of_programs(add("risk", risk, "which modules of the services to test next, and why"))
    quality_ = add("quality", quality, "one page of all that was measured of the tests")
    quality_.add_argument("--output", metavar="FILE", help="write it there")
