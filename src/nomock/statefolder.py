"""The folder of the state, as ``places`` chose it: made, and one error for all that writes to it.

Whoever can do without a file of it (what is only a cache or a hint) goes on past that error;
whoever cannot (a lock, a journal) lets it pass.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nomock.errors import StateFolderError


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Write something below a folder of ours.

    Raises StateFolderError in place of what the system says: its disk is full, a quota is used up,
    it may not be written.
    """
    try:
        yield
    except OSError as error:
        raise StateFolderError(folder, error) from error


def make_state_dir(state_dir: Path) -> None:
    """Make the folder that git ignores by itself, wherever it is; raise StateFolderError."""
    ignored = state_dir / ".gitignore"
    if ignored.exists():
        return
    with writing(state_dir):
        state_dir.mkdir(parents=True, exist_ok=True)
        try:
            ignored.write_text("# made by nomock; may be deleted\n*\n")
        except OSError:
            with suppress(OSError):
                ignored.unlink()  # half of it would be taken for all of it
            raise


def append_line(path: Path, line: str, *, sync: bool = False) -> int:
    """Write a line to the end of a file, whole or not at all; return how long the file is then.

    The system has it at once, also from a process that is killed then; with ``sync`` the disk has
    it. Raises OSError.
    """
    with path.open("ab", buffering=0) as file:
        begin, left = file.seek(0, os.SEEK_END), f"{line}\n".encode()
        try:
            while left:
                left = left[file.write(left) :]
            if sync:
                os.fsync(file.fileno())
        except OSError:  # half a line would spoil the next one
            file.truncate(begin)
            raise
        return file.tell()
