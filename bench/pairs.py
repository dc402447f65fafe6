"""Time whole commands in turns, so that a machine that slows down slows all of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

Figures = dict[str, list[float]]


def in_turns(
    commands: Mapping[str, Sequence[str]],
    *,
    rounds: int,
    cwd: Path,
    before: Callable[[], None] = lambda: None,
) -> Figures:
    """Run each command once a round and return its wall times in seconds.

    The first round is a warm-up and not counted. A command that fails ends the bench.
    """
    figures: Figures = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            before()
            began = perf_counter()
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
            elapsed_s = perf_counter() - began
            if done.returncode != 0:
                raise SystemExit(
                    f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
                )
            if number:
                figures[name].append(elapsed_s)
    return figures


def show(title: str, figures: Figures, base: str) -> dict[str, float]:
    """Print each median with its difference and ratio to the base, pair by pair; return ratios."""
    print(f"\n{title}")
    ratios = {}
    for name, times in figures.items():
        pairs = list(zip(times, figures[base], strict=True))
        ratios[name] = median(t / b for t, b in pairs)
        over_s = median(t - b for t, b in pairs)
        print(
            f"  {name:<40} median {median(times):6.3f} s  min {min(times):6.3f} s"
            f"  over {base} {over_s:+6.3f} s  ratio {ratios[name]:5.2f}"
        )
    return ratios
