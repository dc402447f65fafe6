"""A warm run of one test on a stack that is built of a huge folder: `build: .`, no .dockerignore.

Figure (issue 10): 10,000 files and 700 MB at most 0.3 s and 60 MB over bare pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ground import python_image
from pairs import in_turns, show

_COMPOSE = """\
services:
  till:
    build: .
    init: true
    stop_signal: SIGKILL
    command: [sleep, infinity]
"""
_TEST = "def test_nothing({}):\n    pass\n"
# Prints the most memory that a command had at one time, in MB: Linux counts in KB.
_PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
    "capture_output=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=700)
    parser.add_argument("--image", default=python_image())
    chosen = parser.parse_args()
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    commands = {
        "bare pytest": [*pytest, "-p", "no:nomock", "test_bare.py"],
        "nomock, attached": [*pytest, "test_nomock.py"],
    }
    with tempfile.TemporaryDirectory(prefix="nomock-bench-") as name:
        folder = Path(name)
        _plant(folder, chosen.files, chosen.megabytes * 1_000_000 // chosen.files, chosen.image)
        try:
            # The image is built by the first; what changed right before it is read by the second.
            for _ in range(2):
                subprocess.run(commands["nomock, attached"], cwd=folder, check=True)
            figures = in_turns(commands, rounds=chosen.rounds, cwd=folder)
            peaks = {title: _peak(command, folder) for title, command in commands.items()}
        finally:
            down = [sys.executable, "-m", "nomock.cli", "down", "--volumes"]
            subprocess.run(down, cwd=folder, check=True)
            image = f"{folder.name.lower()}-till"
            subprocess.run(["docker", "image", "rm", "--force", image], check=False)
    show(f"one trivial test, {chosen.files} files, {chosen.megabytes} MB", figures, "bare pytest")
    for title, peak in peaks.items():
        print(f"  {title:<40} peak {peak:6.1f} MB")


def _plant(folder: Path, files: int, size: int, image: str) -> None:
    (folder / "docker-compose.yml").write_text(_COMPOSE)
    (folder / "Dockerfile").write_text(f"FROM {image}\nCOPY . /srv\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_bare.py").write_text(_TEST.format(""))
    (folder / "test_nomock.py").write_text(_TEST.format("stack"))
    content = os.urandom(size)
    for number in range(files):
        path = folder / f"package{number % 100:03}" / f"part{number % 7}" / f"module{number:05}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _peak(command: list[str], folder: Path) -> float:
    asked = [sys.executable, "-c", _PEAK, *command]
    return float(subprocess.run(asked, cwd=folder, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
