"""A promotion of the reference stack, images built: cold, one service changed, against compose.

    python bench/promote.py                  # three rounds
    python bench/promote.py --rounds 5 --json

Each round is in a copy of the last commit, and takes down what it made. "cold" has an empty place
in the registry and no sandbox; "changed" has one more line in a service; "apply" is of a second
sandbox whose images are in the registry already: from the first object to all services ready. The
ratio is apply's to `docker compose up --wait` of the same round, whatever else the machine does.

Figures (issue 15): cold under 90 s, changed under 30 s, apply at most 3 x compose's cold start,
down at most 15 s. `nomock sandbox local` first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any

from nomock.sandbox.node.local import registry

ROOT = Path(__file__).parent.parent
NAME = "nomock-bench-promote"
COMPOSE = ["docker", "compose", "--project-name", NAME]
NOMOCK = [sys.executable, "-m", "nomock.cli", "--project", NAME]
SERVICE = "services/auth/auth/app.py"
GOALS = {"cold_s": 90, "changed_s": 30, "apply_to_compose": 3, "down_s": 15}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = copied(Path(temporary))
        run(folder, *NOMOCK, "up")  # builds the images of this project name once
        try:
            rounds = [measured(folder, number) for number in range(chosen.rounds)]
        finally:
            run(folder, *COMPOSE, "down", "--volumes", "--rmi", "local")
    if chosen.json:
        print(json.dumps(rounds, indent=1))
        return
    for name in rounds[0]:
        figures = [found[name] for found in rounds]
        goal = f", goal {GOALS[name]}" if name in GOALS else ""
        said = " ".join(f"{figure:.1f}" for figure in figures)
        print(f"{name:<18} median {median(figures):6.1f}{goal}   ({said})")


def copied(temporary: Path) -> Path:
    """Return a folder with the last commit's files, which a round may change."""
    folder = temporary / "stack"
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    shutil.copy(ROOT / ".env", folder / ".env")
    return folder


def measured(folder: Path, number: int) -> dict[str, float]:
    """Return the figures of one round."""
    run(folder, *COMPOSE, "down", "--volumes")
    compose_s = run(folder, *COMPOSE, "up", "-d", "--wait")
    run(folder, *COMPOSE, "down", "--volumes")
    empty = ["--registry", f"{registry()}/bench-{time():.0f}"]
    try:
        cold_s = promote(folder, "bench-1", *empty)[0]
        apply_s = promote(folder, "bench-2", *empty)[1]
        with (folder / SERVICE).open("a") as file:
            file.write(f"# round {number}\n")
        changed_s = promote(folder, "bench-1", *empty)[0]
    finally:
        down_s = run(folder, *NOMOCK, "sandbox", "down", "--id", "bench-1")
        run(folder, *NOMOCK, "sandbox", "down", "--id", "bench-2")
    return {
        "compose_s": compose_s,
        "cold_s": cold_s,
        "changed_s": changed_s,
        "apply_s": apply_s,
        "apply_to_compose": apply_s / compose_s,
        "down_s": down_s,
    }


def promote(folder: Path, id_: str, *words: str) -> tuple[float, float]:
    """Promote; return the seconds until it was live, and from its objects until all is ready."""
    began = perf_counter()
    told = ran(folder, *NOMOCK, "promote", "--id", id_, "--json", *words)
    took_s: dict[str, Any] = json.loads(told)["took_s"]
    return perf_counter() - began, took_s["sync"] + took_s["ready"]


def run(folder: Path, *command: str) -> float:
    """Run a command; return how long it took, in seconds."""
    began = perf_counter()
    ran(folder, *command)
    return perf_counter() - began


def ran(folder: Path, *command: str) -> str:
    """Run a command; return what it said, and end where it failed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
