"""Fills a disk, from a test of nomock's own or, copied there, from a test of a tiny project."""

from pathlib import Path


def fill(folder: Path) -> None:
    """Leave room for no byte and for no file on the disk of a folder."""
    try:
        with (folder / "large").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass
    number = 0
    try:
        while True:
            (folder / f"empty-{number}").touch()
            number += 1
    except OSError:
        pass
