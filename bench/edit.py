"""From an edit to its verdict: one line changed in `instances`, one test chosen, the stack warm.

Both runs are `pytest --affected -k TEST` on a copy of this repository with a stack of its own: all
of the suite is collected, and one test runs. In one of them a line of `instances` changed since the
run before, so that its image is built and the service replaced; in the other one nothing but a
comment in the test's file, which chooses the same test.
Figure (issue 13): at most 1.3 times the run with nothing changed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter

from copies import copy_repository

HERE = Path(__file__).resolve().parent

ROOT = HERE.parent
TEST = "test_order_should_be_accepted_as_requested_when_the_quota_allows"
FILE = "tests/test_instances.py"
SOURCE = "services/instances/instances/orders.py"
LINE = "    await _queue(conn, answer["


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nomock-bench-edit-") as folder:
        copy = Path(folder)
        copy_repository(copy)
        try:
            _measure(copy, chosen.rounds)
        finally:
            down = ["docker", "compose", "down", "--volumes", "--rmi", "local"]
            subprocess.run(down, cwd=copy, check=True, capture_output=True)


def _measure(copy: Path, rounds: int) -> None:
    _pytest(copy, "--nomock-sidecar-coverage", f"{FILE}::{TEST}")
    took: dict[str, list[float]] = defaultdict(list)
    parts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    # The first round is a warm-up: the services run with the spy until then.
    for number in range(rounds + 1):
        for what, edit in (("nothing changed", _touch_test), ("one line changed", _edit_line)):
            edit(copy, number)
            began = perf_counter()
            found = _pytest(copy, "--nomock-affected", "-k", TEST)
            if number:
                took[what].append(perf_counter() - began)
                for name, begins, ends in found:
                    parts[what][name].append(ends - begins)
    for what, times in took.items():
        print(f"\n{what:18} median {median(times):6.2f} s  min {min(times):6.2f} s")
        for name, lengths in parts[what].items():
            print(f"  {name:20} median {median(lengths):6.2f} s")
    pairs = zip(took["one line changed"], took["nothing changed"], strict=True)
    print(f"\nratio, by the median of {rounds} pairs: {median(a / b for a, b in pairs):.2f}")


def _touch_test(copy: Path, number: int) -> None:
    with (copy / FILE).open("a") as file:
        file.write(f"# {number}\n")


def _edit_line(copy: Path, number: int) -> None:
    path = copy / SOURCE
    lines = path.read_text().splitlines()
    [at] = [n for n, line in enumerate(lines) if line.startswith(LINE)]
    if lines[at - 1].startswith("    assert answer is not "):
        del lines[at - 1]
        at -= 1
    path.write_text(
        "\n".join([*lines[:at], f"    assert answer is not {-number}", *lines[at:], ""])
    )


def _pytest(copy: Path, *options: str) -> list[tuple[str, float, float]]:
    """Run pytest on the copy, and return its parts."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COMPOSE_"))}
    told = copy / ".nomock-parts.json"
    environ |= {"PYTHONPATH": str(HERE / "edit"), "EDIT_PARTS": str(told)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "edit_parts", *options]
    done = subprocess.run(
        command, cwd=copy, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or "1 passed" not in done.stdout:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    found: list[tuple[str, float, float]] = json.loads(told.read_text())
    return found


if __name__ == "__main__":
    main()
