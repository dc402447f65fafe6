"""What of a build context services write while they run: it is no source, and in no digest.

Without this a service that writes into the folder that it was built from is never as its files say,
and each run builds anew: ``build: .`` with ``volumes: [.:/app]`` and a log, a SQLite file or
Celery's schedule in it; or a database that keeps its files in a folder beside the sources.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.project import intention

# Where servers keep what they store; nothing there comes from an image that is built here.
_STORES = re.compile(r"/(var/lib|var/log|bitnami|data)(/|$)")
# By these names programs write, not people. A folder's name would be too little: data/rates.json.
_BY_NAME = re.compile(
    r"\.(log|log\.\d+|pid|sock|tmp|swp|sqlite3?|db3?|rdb|aof)(-wal|-shm|-journal)?$"
    r"|(^|/)celerybeat-schedule[^/]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Written:
    """What services of a project write on this machine, as far as one service's image goes."""

    stores: tuple[str, ...] = ()
    """Folders in which some service keeps what it stores: nothing in them is source."""
    own: tuple[str, ...] = ()
    """Folders that the service itself may write to. It sees all in them as it is, whatever is in
    its image; so what is written there by its name needs no other image."""

    def within(self, folder: Path) -> Written:
        """Return the same, relative to a folder, without what lies elsewhere; "." is all of it."""
        return Written(_within(folder, self.stores), _within(folder, self.own))

    def has(self, path: str) -> bool:
        """Tell whether a path was written by a service; both are relative to the same folder."""
        folders = (*self.stores, *self.own)
        if any(f"{folder}/".startswith(f"{path}/") for folder in folders):
            return True  # what is mounted, and the folders above it, the engine makes
        if any(_is_in(path, store) for store in self.stores):
            return True
        return any(_is_in(path, own) for own in self.own) and bool(_BY_NAME.search(path))

    def __bool__(self) -> bool:
        return bool(self.stores or self.own)


NOTHING = Written()


def stores_of(services: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the folders of this machine in which services of a project store something."""
    found = {
        source
        for config in services
        for source, target in intention.written(config)
        if _STORES.match(target)
    }
    return tuple(sorted(found))


def _within(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    found = []
    for path in paths:
        relative = os.path.relpath(path, folder)
        if set(Path(relative).parts) <= {os.pardir}:
            found.append(os.curdir)
        elif not relative.startswith(os.pardir + os.sep):
            found.append(relative)
    return tuple(found)


def _is_in(path: str, folder: str) -> bool:
    return folder == os.curdir or path.startswith(f"{folder}/")
