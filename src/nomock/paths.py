"""Paths by the names that the user and compose have for them: links in them stay."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(path: Path) -> Path:
    """Return a path from the root without dots in it, as the shell does it for ``cd``.

    ``Path.resolve`` would follow links: compose takes names and folders from where they stand.
    """
    return Path(os.path.abspath(path))  # noqa: PTH100 (its cure is resolve)


def standing(folder: Path | None = None) -> Path:
    """Return the folder where the user stands, by the name that the shell has for it.

    Where a link led there, compose takes the project's name from the link, which the shell says in
    PWD. ``folder`` is what the system calls it, where it is known already.
    """
    folder = Path.cwd() if folder is None else folder
    shown = Path(os.environ.get("PWD", ""))
    try:
        return shown if shown.is_absolute() and shown.samefile(folder) else folder
    except OSError:
        return folder
