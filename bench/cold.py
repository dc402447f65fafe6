"""A cold start of the reference stack, images built: nomock up against docker compose up --wait.

Figure (issue 3): at most 1.1 times compose's own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pairs import in_turns, show

ROOT = Path(__file__).parent.parent
COMPOSE = ["docker", "compose", "--project-name", "nomock-bench-cold"]
NOMOCK = [sys.executable, "-m", "nomock.cli", "--project", "nomock-bench-cold"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    _run([*NOMOCK, "up"])  # builds the images of this project name once
    try:
        figures = in_turns(
            {
                "docker compose up --wait": [*COMPOSE, "up", "-d", "--wait"],
                "nomock up": [*NOMOCK, "up"],
            },
            rounds=chosen.rounds,
            cwd=ROOT,
            before=lambda: _run([*COMPOSE, "down", "--volumes"]),
        )
    finally:
        _run([*COMPOSE, "down", "--volumes", "--rmi", "local"])
    show("cold start of the reference stack", figures, "docker compose up --wait")


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


if __name__ == "__main__":
    main()
