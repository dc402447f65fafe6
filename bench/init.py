"""From a stack that runs to a first green test: `nomock init`, then pytest, where neither is yet.

Figures (issue 16): init at most 3 s on a stack that runs, the first green test at most 1 s after.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from ground import use_images
from pairs import show

HERE = Path(__file__).parent
NOMOCK = [sys.executable, "-m", "nomock.cli"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    use_images()
    with tempfile.TemporaryDirectory(prefix="nomock-bench-init-") as name:
        folder = Path(name)
        text = (HERE / "stack" / "docker-compose.yml").read_text(encoding="utf-8")
        text = text.replace("nomock-bench-warm", "nomock-bench-init")
        (folder / "docker-compose.yml").write_text(text, encoding="utf-8")
        _took(folder, *NOMOCK, "up")
        try:
            figures = [_round(folder) for _ in range(chosen.rounds + 1)][1:]
        finally:
            _took(folder, *NOMOCK, "down", "--volumes")
    show(
        "a stack of two services that runs, a project without a test",
        {name: [figure[name] for figure in figures] for name in figures[0]},
        "bare pytest, one test",
    )


def _round(folder: Path) -> dict[str, float]:
    """Return what each step took, from nothing to the end of the second run."""
    for written in ("tests", "pyproject.toml", "justfile", "nomock.just", ".gitignore"):
        path = folder / written
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (folder / "bare").mkdir(exist_ok=True)
    (folder / "bare" / "test_bare.py").write_text("def test_bare(): pass\n", encoding="utf-8")
    return {
        "docker compose ps": _took(folder, "docker", "compose", "ps"),
        "nomock init": _took(folder, *NOMOCK, "init"),
        "bare pytest, one test": _took(folder, *PYTEST, "-p", "no:nomock", "bare"),
        "pytest, the first of init's tests": _took(
            folder, *PYTEST, "tests", "--maxfail=1", "-k", "web"
        ),
        "pytest, all of init's tests": _took(folder, *PYTEST, "tests"),
    }


def _took(folder: Path, *command: str) -> float:
    began = perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    elapsed_s = perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return elapsed_s


if __name__ == "__main__":
    main()
