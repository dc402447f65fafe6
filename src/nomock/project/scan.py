"""Go through a folder as the builder's sender does, and read nothing of it but names and stats."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from nomock.project.ignore import Above, Ignore

# Git's own, written to by `git status` alone. The builder is sent it, because versions may be made
# of it (see ``commit_of``); it is no source.
_OF_GIT = ".git"


class Entry(NamedTuple):
    """A file, link, folder or other thing of a build context, as one look found it."""

    path: str
    """Relative to the context, with ``/``."""
    mode: int
    """Its kind and permissions; 0 where it may not even be looked at."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no link to one."""
        return stat.S_ISDIR(self.mode)


def scan(folder: str, ignore: Ignore) -> Iterator[Entry]:
    """Yield what a context's rules leave in, sorted within each folder.

    Of a folder only name and mode count: its times change with what is in it. What may not be read
    is yielded without what is below it; what is gone by now is left out.
    """
    waiting: list[tuple[str, Above]] = [("", ignore.nothing_above)]
    while waiting:
        prefix, above = waiting.pop()
        below = []
        names = _listed(f"{folder}/{prefix}")
        for name, entry in names.items():
            path = prefix + name
            ignored, matched = ignore.judge(path, name, above)
            if name == _OF_GIT or (name.endswith(".pyc") and name[:-1] in names):
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            if not ignored:
                found = _entry(path, entry, is_folder)
                if found is not None:
                    yield found
            if is_folder and (not ignored or ignore.may_keep_below(path)):
                below.append((f"{path}/", matched))
        waiting += reversed(below)


def _listed(folder: str) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in sorted(entries, key=_name)}
    except OSError:  # not ours to read, or gone: it counts by its own name and mode
        return {}


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _entry(path: str, entry: os.DirEntry[str], is_folder: bool) -> Entry | None:
    try:
        s = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError:
        return Entry(path, 0, 0, 0, 0, 0)
    if is_folder:
        return Entry(path, s.st_mode, 0, 0, 0, 0)
    return Entry(path, s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)
