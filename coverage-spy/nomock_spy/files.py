"""Reading files that the service has beside it, of which nothing is known beforehand."""

from __future__ import annotations

import os


def content(path: str, most_bytes: int = -1) -> bytes | None:
    """Return what a regular file holds, or the begin of it; None for all that is none.

    The name of a code object's file may be anything that ``compile`` was given: none, a folder, a
    pipe, which would wait for a writer or take from the service what is meant for it.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):  # the latter where there is a null byte in it
        return None
    try:
        stat = os.fstat(fd)
        if stat.st_mode & 0o170000 != 0o100000:  # stat.S_ISREG, which takes longer to load
            return None
        return os.read(fd, stat.st_size if most_bytes < 0 else most_bytes)
    except OSError:
        return None
    finally:
        os.close(fd)
