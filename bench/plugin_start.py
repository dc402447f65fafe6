"""What nomock costs a pytest run that has no stack: its import, options and configuration.

Figure (issue 10): at most 15 ms over pytest's own start, in a folder without a compose file. With
one beside tests that use no stack it is the same.
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
    commands = {"pytest": [*pytest, "-p", "no:nomock"], "pytest with nomock": pytest}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_empty.py").write_text("def test_nothing():\n    pass\n")
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        figures = in_turns(commands, rounds=chosen.rounds, cwd=Path(folder))
        show("one empty test, no compose file", figures, "pytest")
        Path(folder, "docker-compose.yml").write_text("services: {web: {image: nowhere/web}}\n")
        figures = in_turns(commands, rounds=chosen.rounds, cwd=Path(folder))
        show("one empty test, a compose file beside it", figures, "pytest")


if __name__ == "__main__":
    main()
