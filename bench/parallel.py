"""The reference suite with `just test-fast` against serial, on a warm stack.

Figure (issue 3): at least 1.5 times as fast on two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pairs import in_turns, show

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    figures = in_turns(
        {"just test-fast": ["just", "test-fast", "-q"], "just test": ["just", "test", "-q"]},
        rounds=chosen.rounds,
        cwd=ROOT,
    )
    ratios = show("the reference suite", figures, "just test-fast")
    print(f"  test-fast is {ratios['just test']:.2f} times as fast")


if __name__ == "__main__":
    main()
