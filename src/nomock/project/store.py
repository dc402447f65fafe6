"""A small JSON file under ``.nomock/``: what is known from earlier runs, and may be lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Store:
    """One JSON object in one file; a missing or broken file is an empty object."""

    def __init__(self, state_dir: Path, name: str) -> None:
        self._path = state_dir / f"{name}.json"

    def read(self) -> dict[str, Any]:
        """Return what was written last, {} when there is nothing."""
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, value: dict[str, Any]) -> None:
        """Replace the file in one step, so that a reader never sees half of it."""
        make_state_dir(self._path.parent)
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(value), encoding="utf-8")
        temporary.replace(self._path)


def make_state_dir(state_dir: Path) -> None:
    """Make the folder that git ignores by itself, wherever it is."""
    if not (state_dir / ".gitignore").exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        (state_dir / ".gitignore").write_text("# made by nomock; may be deleted\n*\n")
