"""git, as far as the story of a failure needs it; without a repository every answer is empty."""

from __future__ import annotations

import subprocess
from pathlib import Path


def snapshot(root: Path) -> str:
    """Return a commit that holds the tracked files as they are now; "" without a repository.

    ``git stash create`` makes a commit object of uncommitted changes and touches nothing.
    """
    return _git(root, "stash", "create") or _git(root, "rev-parse", "HEAD")


def changes_since(root: Path, commit: str) -> str:
    """Return ``git diff --stat`` from a commit to the files as they are now."""
    return _git(root, "diff", "--stat", commit)


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.rstrip() if done.returncode == 0 else ""
