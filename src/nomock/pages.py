"""The pages of the docs, which ship in the wheel: an error that names one names what is there."""

from __future__ import annotations

import re
from pathlib import Path

_PACKED = Path(__file__).with_name("docs")
_FOLDER = _PACKED if _PACKED.is_dir() else Path(__file__).parents[2] / "docs"


def pages() -> dict[str, Path]:
    """Return name -> file of each page."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.md"))}


def hint(text: str) -> str:
    """Return how to read the pages that a message names; empty where they lie beside the code."""
    named = sorted(set(re.findall(r"docs/([\w-]+)\.md", text)) & pages().keys())
    if not named or not _PACKED.is_dir():
        return ""
    commands = ", ".join(f"nomock docs {name}" for name in named)
    return f"(to read what it names: {commands})"
