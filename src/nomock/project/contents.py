"""What a build context holds: a digest of it by content, at the price of a look at names and stats.

By content and not by time stamp, because a checkout or a copy changes every time stamp, and nothing
else. What was read once is kept with the stats that it had, in one file a context under
``.nomock/``, and is not read again while these are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nomock.project.ignore import Ignore
from nomock.project.scan import Entry, scan
from nomock.project.store import write_or_lose
from nomock.project.written import NOTHING, Written

_VERSION = 1
# A file that changes again within one step of its file system's clock has the same stats as
# before: for so long after its last change it is read each time, as git does with "racily clean"
# files. https://git-scm.com/docs/racy-git
_STEP_NS = 100_000_000
_COARSE_STEP_NS = 2_000_000_000
_HEX = 32


@dataclass(frozen=True)
class Contents:
    """What one look at a context found."""

    stats: str
    """Stands for the names and stats of all of it: the same ones mean that nothing was written."""
    digest: str
    _tell: Callable[[], Mapping[str, str]]

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Path -> what its name stands for: kind, permissions and content."""
        return self._tell()


def look(folder: Path, ignore: Ignore, memory: Path | None, written: Written = NOTHING) -> Contents:
    """Look at a context; ``memory`` is the file with what is known of it, None to read all.

    ``written``, relative to the context, is what services write there: it does not count.
    """
    now_ns = time.time_ns()
    entries = list(scan(str(folder), ignore))
    if written:
        entries = [entry for entry in entries if not written.has(entry.path)]
    stats = _digest(repr([tuple(entry) for entry in entries]))
    known = _Known(memory)
    if known.head.get("stats") == stats:
        return Contents(stats, known.head["digest"], known.told)
    found = [_of_content(folder, entry, known) for entry in entries]
    told = {e.path: f"{e.mode:o} {c}" for e, c in zip(entries, found, strict=True)}
    digest = _digest(json.dumps(told))
    if memory is not None and memory.parent.is_dir():
        lasting = [not _may_change_unseen(entry, now_ns) for entry in entries]
        head = {"version": _VERSION, "digest": digest, "stats": stats if all(lasting) else ""}
        body = {
            entry.path: [*entry[1:], content]
            for entry, content, lasts in zip(entries, found, lasting, strict=True)
            if lasts
        }
        write_or_lose(memory, f"{json.dumps(head)}\n{json.dumps(body)}\n")
    return Contents(stats, digest, lambda: told)


def content_digest(path: str) -> str:
    """Return a digest of a file's content, read piece by piece; raise OSError.

    What has none, such as a socket, is not waited for.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return "special"
        return hashlib.file_digest(file, "sha256").hexdigest()[:_HEX]


class _Known:
    """What the last look at a context has left; its first line is all that most runs need."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines = self._read(1)
        self.head: Mapping[str, Any] = _object(self._lines)
        if self.head.get("version") != _VERSION:
            self.head = {}

    @cached_property
    def entries(self) -> Mapping[str, Sequence[Any]]:
        """Path -> the rest of its entry, and its content's digest."""
        lines = self._read(2)
        is_same = bool(self.head) and lines[:1] == self._lines  # another run may have looked since
        return _object(lines[1:]) if is_same else {}

    def told(self) -> Mapping[str, str]:
        """Return what ``Contents.files`` is, of the look that left this."""
        return {path: f"{known[0]:o} {known[-1]}" for path, known in self.entries.items()}

    def _read(self, lines: int) -> list[bytes]:
        if self._path is None:
            return []
        try:
            with self._path.open("rb") as file:
                return [file.readline() for _ in range(lines)]
        except OSError:
            return []


def _object(lines: Sequence[bytes]) -> Mapping[str, Any]:
    try:
        found = json.loads(lines[0]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_content(folder: Path, entry: Entry, known: _Known) -> str:
    if entry.is_folder or not entry.mode:
        return ""
    before = known.entries.get(entry.path)
    if before is not None and before[:-1] == list(entry[1:]):
        return str(before[-1])
    path = f"{folder}/{entry.path}"
    try:
        if stat.S_ISLNK(entry.mode):
            return _digest(str(Path(path).readlink()))
        if stat.S_ISREG(entry.mode):
            return content_digest(path)
    except OSError:  # not ours to read, or gone: docker will say so, if it has to be read
        return f"unread {entry.size} {entry.mtime_ns}"
    return "special"


def _may_change_unseen(entry: Entry, now_ns: int) -> bool:
    """Tell whether a change right after this look could leave the stats as they are.

    A time of the future comes again: the clock was set back. Of the two times only the one of the
    content's last change can be set by anybody, and is not believed where it is in the future.
    """
    step_ns = _STEP_NS if entry.ctime_ns % 1_000_000_000 else _COARSE_STEP_NS
    is_new = entry.ctime_ns > now_ns - step_ns
    return is_new or now_ns >= entry.mtime_ns > now_ns - step_ns


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HEX]


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
