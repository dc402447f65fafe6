"""coverage.py for the services whose Python has no sys.monitoring: unpacked wheels to mount."""

from __future__ import annotations

from pathlib import Path

from nomock.errors import CoverageError


def provide(python_tag: str, libc: str, machine: str, folder: Path) -> None:
    """Make a folder with coverage.py for one kind of Python: ``cp311``, ``glibc``, ``x86_64``.

    Raises CoverageError where it is not to be had.
    """
    if not (folder / "coverage").is_dir():
        raise CoverageError(
            f"there is no coverage.py for {python_tag}, {libc}, {machine}", where=str(folder)
        )
