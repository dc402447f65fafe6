"""The single files that services mount: were they changed by their user, or by a service?

A server reads such a file when it starts, and compose does not look into it, so that a change by
its user needs a new container. But a database file, or a log, is changed by the service itself, and
a new container each time would cost what the old one holds. Nobody records who wrote to a file.
What can be told, the surest first:

- where it is mounted read-only, by all services, its user changed it;
- another file in its place is its user's doing, as editors and git put one there: a service cannot,
  since the file is a mount for it;
- what is not text is not edited in its place: the service's data;
- text that was changed in its place is the service's if the file changed while the services
  started, from then on, and if it changed while tests ran, that once; else it is its user's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nomock.project import Project, Store
from nomock.target import Container

_HEAD_BYTES = 8192


@dataclass(frozen=True)
class _File:
    """What is known of a file."""

    stat: tuple[int, ...]
    """Its inode first, then what changes when it is written to."""
    digest: str | None
    """The digest of its content; None for a service's data, which may be large."""
    is_own: bool = False
    """Whether a service writes to it: it changed while the services started."""
    is_taken: bool = False
    """Whether it changed while tests ran, and was taken for a service's writing."""

    @classmethod
    def at(cls, path: Path, known: _File | None, *, is_writable: bool) -> _File | None:
        """Look at a file, and into it where it is not as it was known; None if it is gone."""
        try:
            found = path.stat()
            stat = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if known is not None and known.stat == stat:
                return known
            digest = None if is_writable and _is_data(path) else _digest(path)
        except OSError:
            return None
        same = known is not None and known.stat[0] == stat[0]
        return cls(stat, digest, is_own=same and known is not None and known.is_own)

    def is_changed_in_place(self, known: _File) -> bool:
        """Tell whether it has another content than it was known to have, and is the same file."""
        if self.stat[0] != known.stat[0]:
            return False
        return self.stat != known.stat if self.digest is None else self.digest != known.digest

    def is_changed_by_user(self, known: _File, *, is_writable: bool) -> bool:
        """Tell whether only a user can have made it what it is now."""
        if self.stat[0] != known.stat[0]:
            return self.digest is None or self.digest != known.digest
        if is_writable and (self.is_own or self.digest is None or known.digest is None):
            return False
        return self.digest != known.digest


class MountedFiles:
    """What a project's mounted files were when its containers were started."""

    def __init__(self, store: Store, project: Project) -> None:
        self._store = store
        self._project = project
        self._paths = sorted({p for s in project.services.values() for p in s.mounted_files})
        known = store.read() if self._paths else {}
        self._started: dict[str, list[str]] = known.get("started", {})
        self._known = dict(_read(known.get("files", {})))

    def changes(self, containers: Sequence[Container]) -> dict[str, str]:
        """Return the services whose containers run with another version of a file: -> which."""
        now = self._look()
        changes = {}
        for container in containers:
            service = self._project.services.get(container.service)
            paths = self._started.get(container.id)
            if service is None or paths is None:
                continue
            for path in sorted({*paths, *map(str, service.mounted_files)}):
                if self._is_changed(path, now.get(path)):
                    changes[service.name] = f"a mounted file changed: {Path(path).name}"
        return changes

    def begin(self) -> None:
        """Take the files as they are: what is about to start starts with these."""
        self._known = self._look()

    def started(self, containers: Iterable[Container]) -> None:
        """Record what the containers were started with; what changed meanwhile, they wrote."""
        self._learn(is_own=True)
        self._started = {
            c.id: [str(path) for path in self._project.services[c.service].mounted_files]
            for c in containers
            if c.service in self._project.services
        }
        self._write()

    def ended(self) -> None:
        """Tests have run: what changed meanwhile the services wrote."""
        if self._learn(is_own=False):
            self._write()

    def written(self) -> Mapping[str, list[str]]:
        """Return service -> the names of the text files that are taken for its own writing."""
        told: dict[str, list[str]] = {}
        for name, service in self._project.services.items():
            for path in service.mounted_files:
                known = self._known.get(str(path))
                if known and known.digest is not None and (known.is_own or known.is_taken):
                    told.setdefault(name, []).append(path.name)
        return told

    def _look(self) -> dict[str, _File]:
        now = {}
        for path in self._paths:
            known = self._known.get(str(path))
            found = _File.at(path, known, is_writable=path in self._project.writable_files)
            if found is not None:
                now[str(path)] = found
        return now

    def _is_changed(self, path: str, now: _File | None) -> bool:
        known = self._known.get(path)
        if now is None or known is None:
            return now is not known
        is_writable = Path(path) in self._project.writable_files
        return now.is_changed_by_user(known, is_writable=is_writable)

    def _learn(self, *, is_own: bool) -> bool:
        """Take over what changed in its place; return whether anything did."""
        before = dict(self._known)
        for path, now in self._look().items():
            known = self._known.get(path)
            is_writable = Path(path) in self._project.writable_files
            if known is not None and is_writable and now.is_changed_in_place(known):
                own = known.is_own or is_own
                self._known[path] = replace(now, is_own=own, is_taken=not own)
        return self._known != before

    def _write(self) -> None:
        if self._paths:
            files = {path: asdict(known) for path, known in self._known.items()}
            self._store.write({"started": self._started, "files": files})


def _read(files: Mapping[str, Any]) -> Iterator[tuple[str, _File]]:
    for path, known in files.items():
        with suppress(TypeError, KeyError):  # of another version of nomock
            yield path, _File(**{**known, "stat": tuple(known["stat"])})


def _is_data(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(_HEAD_BYTES)


def _digest(path: Path) -> str | None:
    if not os.access(path, os.R_OK):  # a secret of another user: by its stat alone
        return str(path.stat().st_mtime_ns)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
