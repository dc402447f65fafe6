"""Notice that files of services and tests were saved: once a save, and once it is whole.

By looking at names and stats, a few times a second: that needs no package, and sees changes where
a kernel tells of none (folders shared with a virtual machine, network drives). An editor writes a
file of another name and renames it, or writes the file in pieces; so nothing counts before two
looks in a row are the same, and nothing but content does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from nomock.config import Settings
from nomock.coverage.affected.blocks import parse
from nomock.coverage.affected.changes import Change, changes
from nomock.coverage.affected.state import (
    State,
    Suite,
    is_of_editor,
    is_skipped,
    state_now,
    watched_folders,
)
from nomock.project import resolve

Stats = Mapping[str, tuple[int, ...]]


class Watching:
    """The files of a project's services and tests, and what of them is known already."""

    def __init__(self, settings: Settings, suite: Suite, pause: Callable[[], None]) -> None:
        """``pause`` returns after a while; between two looks. Raises ConfigError."""
        self._settings = settings
        self._suite = suite
        self._pause = pause
        self._stats = self._look()
        self._state = self._read()

    @property
    def files(self) -> int:
        """How many files there are."""
        return len(self._stats)

    def wait(self) -> list[Change]:
        """Return what changed, once it is all there; raise ConfigError for a compose file."""
        while True:
            self._pause()
            now = self._look()
            if now == self._stats:
                continue
            while now != (now := self._after_a_while()):
                pass
            self._stats = now
            before, self._state = self._state, self._read()
            if found := list(changes(before, self._state)):
                return found

    def _after_a_while(self) -> Stats:
        self._pause()
        return self._look()

    def _look(self) -> Stats:
        found = {}
        project = resolve(self._settings)
        for folder in watched_folders(project, self._suite):
            for path in _below(folder):
                found[path.path] = _stat(path)
        for file in (
            *project.read,
            *(f for s in project.services.values() for f in s.mounted_files),
        ):
            if file.is_file():
                found[str(file)] = _stat(file)
        return found

    def _read(self) -> State:
        state = state_now(self._settings, resolve(self._settings), self._suite)
        # All that is Python is compared by blocks: moved lines and comments are no change.
        return state.with_sources(path for path in state.inputs if path.suffix == ".py")


def syntax_error(file: Path) -> str:
    """Return why Python cannot read a file, with its line; "" where it can, or it is no Python."""
    if file.suffix != ".py" or not file.is_file():
        return ""
    try:
        parse(file.read_bytes())
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except ValueError as error:
        return str(error)
    return ""


def _below(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_skipped(entry.name) or is_of_editor(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from _below(Path(entry.path))
                else:
                    yield entry
    except OSError:  # it is gone, or may not be read
        return


def _stat(file: os.DirEntry[str] | Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
