"""How long the suite takes: against itself one test after the other, and against a3ef614.

    python bench/loop.py                    # all parts; an hour and a half on two cores
    python bench/loop.py fast lanes         # some of them

Parts: `fast` and `main-job` (test-fast and test-sidecar-coverage, now and at a3ef614), `alone`
(both with -n 0), `lanes` (four stacks side by side against one, from nothing but images), `check`
(`just check`, now and then). All are of one run, so that the figures are its ratios.

Figures (issue 13): main job at least 4 x and test-fast at least 3 x faster than at a3ef614, each
at least 1.7 x faster than itself with -n 0; four lanes ready in at most 1.5 x one cold start;
just check at least 1.7 x faster.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import perf_counter

from copies import name_project

ROOT = Path(__file__).parent.parent
THEN = "a3ef614"
PARTS = ("lanes", "fast", "main-job", "alone", "check")
JOBS = {"fast": ("test-fast", 3.0), "main-job": ("test-sidecar-coverage", 4.0)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=PARTS)
    chosen = parser.parse_args().parts
    with checkout("HEAD", "nomock-bench-now") as now, checkout(THEN, "nomock-bench-then") as then:
        if "lanes" in chosen:
            lanes(now)
        for part, (recipe, goal) in JOBS.items():
            if part in chosen:
                timed(now, recipe, "-q")  # from here on its lanes are warm
                ours = timed(now, recipe, "-q")
                compare(f"{recipe} at {THEN} (goal {goal})", ours, timed(then, recipe, "-q"))
                if "alone" in chosen:
                    one = timed(now, recipe, "-q", "-n", "0")
                    compare(f"{recipe} with -n 0 (goal 1.7)", ours, one)
        if "check" in chosen:
            compare("just check (goal 1.7)", timed(now, "check"), timed(then, "check"))


def lanes(now: Path) -> None:
    """Time the start of one stack from nothing but images, and of four side by side."""
    python = now / ".venv/bin/python"
    program = [str(python), str(Path(__file__).resolve()), "--start"]

    def cold(count: int) -> float:
        done = subprocess.run([str(python), "-m", "nomock.cli", "down", "--volumes"], cwd=now)
        assert done.returncode == 0, "the stack goes down"
        return seconds([*program, str(count)], now)

    pairs = [(cold(1), cold(4)) for _ in range(3)]
    for one, four in pairs:
        print(f"cold start: one stack {one:.1f} s, four lanes {four:.1f} s: {four / one:.2f} x")


def start(count: int) -> None:
    """Start the stack of this folder and its lanes, as the workers of a run do."""
    from nomock.lanes.stack import StackLane
    from nomock.loading import load
    from nomock.stack import Stack

    first = Stack.of(load(Path.cwd()))
    threads = [Thread(target=StackLane(first, number).prepare) for number in range(2, count + 1)]
    first.prepare(when_built=lambda: [thread.start() for thread in threads] and None)
    for thread in threads:
        thread.join()


@contextmanager
def checkout(revision: str, project: str) -> Iterator[Path]:
    """Give a checkout of a revision with a warm stack of its own; all of it goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="nomock-bench-") as folder:
        path = Path(folder) / project
        git = ["git", "-C", str(ROOT)]
        subprocess.run([*git, "worktree", "add", "--detach", path, revision], check=True)
        name_project(path, project)
        try:
            timed(path, "up")
            yield path
        finally:
            down = ["docker", "compose", "-p", project, "down", "--volumes", "--rmi", "local"]
            subprocess.run([path / "just", "down"], cwd=path, check=False)
            subprocess.run(down, cwd=path, check=False)
            subprocess.run([*git, "worktree", "remove", "--force", path], check=False)


def timed(path: Path, recipe: str, *arguments: str) -> float:
    """Run a recipe of a checkout; one that ends red is timed all the same, and said to be red."""
    return seconds([str(path / "just"), recipe, *arguments], path)


def seconds(command: list[str], cwd: Path) -> float:
    """Run a command to its end and return how long that took."""
    began_s = perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    took_s = perf_counter() - began_s
    if done.returncode != 0:
        red = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        print(f"red: {' '.join(command)}, after {took_s:.1f} s", *red, sep="\n  ", flush=True)
    return took_s


def compare(title: str, ours: float, others: float) -> None:
    """Print a ratio."""
    print(f"{title:<46} {others:7.1f} s; now {ours:7.1f} s: {others / ours:.2f} x", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--start"]:
        start(int(sys.argv[2]))
    else:
        main()
