"""The suite in random order while others keep the cores busy: is it green each time?

    python bench/any_order.py                   # twenty runs, under a load of eight; hours
    python bench/any_order.py --runs 1 --seed 7 # one again
    python bench/any_order.py --own --runs 5    # nomock's own tests

The load is processes that do nothing but count. Printed: the seed of each order, how it ended, and
the tests that were red. Any one ends it with 1.
Figure (issue 13): 20 runs of the suite and 5 of nomock's own tests, all green.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from ground import use_images

from nomock.quality.pressure import busy_cores

ROOT = Path(__file__).resolve().parent.parent
SUITE = ["-n", "logical", "--dist", "worksteal"]
OWN = ["-n", "auto"]


def main() -> None:
    """Run, and print how each run ended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", type=int, default=8)
    parser.add_argument("--own", action="store_true")
    chosen, more = parser.parse_known_args()
    use_images()
    folder, arguments = (ROOT / "tests" / "harness", OWN) if chosen.own else (ROOT, SUITE)
    green = 0
    with busy_cores(chosen.load):
        for seed in range(chosen.seed, chosen.seed + chosen.runs):
            began = perf_counter()
            red, summary = run(folder, [*arguments, *more], seed)
            green += not red
            print(f"order {seed}: {summary}, {perf_counter() - began:.0f} s", flush=True)
            for line in red:
                print(f"  {line}", flush=True)
    print(f"green: {green} of {chosen.runs}")
    sys.exit(green != chosen.runs)


def run(folder: Path, arguments: Sequence[str], seed: int) -> tuple[list[str], str]:
    """Run the tests in one order; return the lines of what was red, and pytest's last line."""
    shuffled = ["-q", "-rfE", "--nomock-shuffle", str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *shuffled, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    red = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)
    summary = (done.stdout.strip().splitlines() or ["nothing said"])[-1]
    if done.returncode and not red:
        said = f"{done.stdout.strip()}\n{done.stderr.strip()}"
        red = [f"ended with {done.returncode}: {said[-1500:]}"]
    return red, summary.strip("= ")


if __name__ == "__main__":
    main()
