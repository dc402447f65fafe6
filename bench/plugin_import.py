"""What nomock costs a pytest run that has no stack: its import, options and configuration.

Figure (issue 3): at most 60 ms over pytest's own start.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from pairs import in_turns, show


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_empty.py").write_text("def test_nothing():\n    pass\n")
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        figures = in_turns(
            {"pytest": [*pytest, "-p", "no:nomock"], "pytest with nomock": pytest},
            rounds=chosen.rounds,
            cwd=Path(folder),
        )
    show("one empty test, no compose file", figures, "pytest")


if __name__ == "__main__":
    main()
