"""The pages of the docs, which ship in the wheel: an error that names one names what is there."""

from __future__ import annotations

from pathlib import Path

_PACKED = Path(__file__).with_name("docs")
_FOLDER = _PACKED if _PACKED.is_dir() else Path(__file__).parents[2] / "docs"


def pages() -> dict[str, Path]:
    """Return name -> file of each page."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.md"))}
