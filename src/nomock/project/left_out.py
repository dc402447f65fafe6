"""What lies in a build context and is nobody's source: what nomock, Python and its tools write.

It is in no digest of a context, or the first run would make the second one build; and it is left
out of what nomock builds, because ``COPY . .`` would take the resolved environment into the image.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from nomock.project.ignore import Ignore

STATE_DIR = ".nomock"
# They are written by a run of tests on this machine, and of no use in an image. `.coverage*` would
# be too much: it is coverage.py's configuration, too.
CACHES = (
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".coverage",
    ".coverage.*",
    ".docker/buildx",  # of the docker client, where the project is its user's home
)
_OVERLAY_MARKS = (b"# Written by `nomock overlay`", b"# Written by `nomock edges --init`")
_SPY_FOLDER, _SPY_MARK = "coverage-spy", "nomock_spy/__init__.py"
_PROXY_FOLDER, _PROXY_MARK = "httpfaults", "httpfaults/service.py"


@dataclass(frozen=True)
class LeftOut:
    """What to leave out of the build contexts of one project, besides what the user does."""

    root: Path | None = None
    """The project's folder; None: nothing but what has the same name everywhere."""
    report: str = ""
    """The folder of the coverage reports, relative to root; empty: there is none."""
    overlays: tuple[str, ...] = ()
    """Compose files that nomock may have written, relative to root: left out where it did."""

    def rules(self, folder: Path, users: Ignore) -> list[str]:
        """Return the rules for a context, to stand behind the user's own.

        A cache that the user takes back by name (`!**/__pycache__`) is his; nomock's own folder is
        never sent: it holds resolved secrets.
        """
        named = {part for line in users.lines if line.startswith("!") for part in line.split("/")}
        caches = [c for c in CACHES if not any(fnmatchcase(p.lstrip("!"), c) for p in named)]
        rules = [f"**/{name}" for name in (*caches, STATE_DIR)]
        rules += [_literal(path) for path in self._of_project(folder)]
        # What takes back files below a folder that is left out already passes by a rule that names
        # the folder alone.
        return rules + ([f"{rule}/**" for rule in rules] if named else [])

    def _of_project(self, folder: Path) -> Iterator[str]:
        """Yield the paths, relative to a context, that nomock wrote there by the settings."""
        if self.root is None:
            return
        names = [self.report] if self.report else []
        names += [name for name in self.overlays if _is_of_overlay(self.root / name)]
        with suppress(OSError):
            own = ((_SPY_FOLDER, _SPY_MARK), (_PROXY_FOLDER, _PROXY_MARK))
            names += [name for name, mark in own if (self.root / name / mark).is_file()]
        for name in names:
            path = posixpath.relpath(os.path.realpath(self.root / name), os.path.realpath(folder))
            if path != "." and not path.startswith(".."):
                yield path


_WRITTEN_BY_RUNS = re.compile(
    r"\.(log|log\.\d+|pid|sock|tmp|swp|sqlite3?|db|db3|rdb|aof)(-wal|-shm|-journal)?$"
    r"|(^|/)(\.?cache|logs?|tmp|temp|data|uploads?)/"
    r"|(^|/)(celerybeat-schedule[^/]*|nohup\.out|core)$",
    re.IGNORECASE,
)


ONLY_NAMES = LeftOut()
"""What has the same name in every project."""


def are_written_by_runs(paths: Iterable[str]) -> bool:
    """Tell whether paths look like what services and tests write, all of them."""
    return all(_WRITTEN_BY_RUNS.search(path) for path in paths)


def _literal(path: str) -> str:
    """Return a pattern that means one path, whatever characters are in it."""
    # White space is cut off at the ends of a line, and a line's end cannot be said at all.
    escaped = re.sub(r"([*?\[\]\\!#])", r"\\\1", path)
    return re.sub(r"[\r\n]", "?", re.sub(r"([ \t])", r"[\1]", escaped))


def _is_of_overlay(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(2048)
            return any(mark in head for mark in _OVERLAY_MARKS)
    except OSError:
        return False
