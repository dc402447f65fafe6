"""A copy of the repository to change and to run, with a stack of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).parent.parent


def copy_repository(copy: Path) -> None:
    """Copy what git tracks, with the images of this checkout and a project of its own."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    name_project(copy, f"nomock-bench-{uuid4().hex[:8]}")


def name_project(copy: Path, project: str) -> None:
    """Write the `.env` of a checkout: the images of this one, and a project of its own."""
    images = [line for line in (ROOT / ".env").read_text().splitlines() if "_IMAGE=" in line]
    (copy / ".env").write_text("\n".join([*images, f"COMPOSE_PROJECT_NAME={project}\n"]))
