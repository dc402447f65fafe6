"""What ./just costs over just itself where nothing is missing.

Figure: 60 ms at the most, which is about one call of docker; that is all that it asks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pairs import in_turns, show

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    figures = in_turns(
        {
            "just": [str(ROOT / ".venv" / "bin" / "just"), "--version"],
            "docker version": ["docker", "version"],
            "./just": ["./just", "--version"],
        },
        rounds=chosen.rounds,
        cwd=ROOT,
    )
    show("the version of just", figures, "just")


if __name__ == "__main__":
    main()
