"""Copies of the checkout, so that no patch touches a file that somebody is working on."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .defect import ROOT


def tracked(*paths: str) -> list[str]:
    """Return the files of the checkout that git knows, or would, below `paths`."""
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run([*listed, "--", *paths], capture_output=True, text=True, check=True)
    return sorted(name for name in done.stdout.split("\0") if name and (ROOT / name).exists())


def copy_to(folder: Path, *paths: str) -> None:
    """Copy what is below `paths` (all of it where none is named) into `folder`."""
    for name in tracked(*paths):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def digest(paths: Sequence[str], text: str) -> str:
    """Return what changes when a file below `paths` or `text` does."""
    found = hashlib.sha256(text.encode())
    for name in tracked(*paths):
        content = (ROOT / name).read_bytes()
        found.update(f"{name} {len(content)} ".encode() + content)
    return found.hexdigest()
