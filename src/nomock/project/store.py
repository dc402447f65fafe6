"""A small JSON file under ``.nomock/``: what is known from earlier runs, and may be lost."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from nomock.errors import StateFolderError
from nomock.statefolder import make_state_dir, writing


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
        """Replace the file in one step; where it cannot be written, it is lost."""
        with suppress(StateFolderError):
            make_state_dir(self._path.parent)
        write_or_lose(self._path, json.dumps(value))


def write_or_lose(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader never sees half of it, for this user alone.

    Where that cannot be (a full disk, a checkout that may not be written) there is no file after
    it: an old one would be taken for what is known.
    """
    try:
        _replace(path, text)
    except OSError:
        with suppress(OSError):
            path.unlink()


def write_privately(path: Path, text: str) -> None:
    """Replace a file in one step, for this user alone, unless it has that text already.

    Raises StateFolderError where it cannot be written.
    """
    with suppress(OSError, ValueError):
        if path.read_text(encoding="utf-8") == text:
            return
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text)


def _replace(path: Path, text: str) -> None:
    # Resolved values are in it, passwords too.
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()  # of a process that was killed, with the permissions it had
    try:
        with open(temporary, "x", encoding="utf-8", opener=_for_this_user) as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
