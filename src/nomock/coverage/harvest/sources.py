"""Which file of this machine is the one that a container ran.

The build contexts of the service are searched for it: same name, same content, and of those the
one that has the most of its path in common with the path in the container. Of several that are
alike it is the one that lies where others of the service do. What is mounted into the container
is known exactly and needs no search.
"""

from __future__ import annotations

import os
from binascii import crc32
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path, PurePosixPath

from nomock.coverage.harvest.records import SourceFile
from nomock.coverage.harvest.services import ServiceSource

_PYTHONS_SUFFIXES = {"", ".py"}


class NoSource(Enum):
    """Why a file that ran has no source here."""

    MADE_UP = auto()
    """There is no such file in the container either: code was compiled under a name of its own."""
    ABSENT = auto()
    """No build context and no mount has it."""
    DIFFERS = auto()
    """Its build context has another text under its name."""
    EDITED = auto()
    """It is mounted, and has another text now."""


@dataclass(frozen=True)
class Unmapped:
    """That a file has no source here, and the one that is nearest to it."""

    kind: NoSource
    nearest: Path | None = None


@dataclass
class Mapped:
    """Where the files of a service's containers are on this machine."""

    found: dict[SourceFile, Path] = field(default_factory=dict)
    failed: dict[SourceFile, Unmapped] = field(default_factory=dict)
    twins: dict[Path, list[Path]] = field(default_factory=dict)
    """A file that was found -> others of the same content that it might have been as well."""


class HostPaths:
    """The mapping from the paths in a service's containers to those on this machine."""

    def __init__(self, source: ServiceSource) -> None:
        self._source = source
        self._by_name: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
        for folder in source.folders:
            for path in source_files(folder):
                self._by_name[path.name].append((folder, path))

    def map(self, files: Iterable[SourceFile]) -> Mapped:
        """Find each file that can be found, and tell of each other one why not."""
        mapped = Mapped()
        undecided: dict[SourceFile, list[_Candidate]] = {}
        with_content: set[PurePosixPath] = set()
        for file in files:
            if file.size is not None:
                with_content.add(PurePosixPath(file.path).parent)
            mounted = self.mounted(file.path)
            if mounted is None:
                undecided[file] = self._candidates(file)
            elif _has_content(mounted, file):
                mapped.found[file] = mounted
            else:
                mapped.failed[file] = _not_mounted(mounted, file)
        votes: Counter[_Root] = Counter()
        for file, candidates in undecided.items():
            alike = _alike(file, candidates)
            if len(alike) == 1 and alike[0].is_sure and file.size is not None:
                mapped.found[file] = alike[0].path
                votes[alike[0].root] += 1
        known = {file.path: path for file, path in mapped.found.items()}
        for file, candidates in undecided.items():
            if file in mapped.found:
                continue
            if file.size is None and file.path in known:  # another process could still read it
                mapped.found[file] = known[file.path]
                continue
            alike = [
                candidate
                for candidate in _alike(file, candidates)
                if votes[candidate.root]
                or (candidate.is_sure and (file.size is not None or not with_content))
            ]
            # Where a folder has its sources, a file that is not there never was.
            if file.size is None and PurePosixPath(file.path).parent in with_content:
                alike = []
            if alike:
                self._choose(mapped, file, alike, votes)
            elif file.size is None:
                mapped.failed[file] = Unmapped(NoSource.MADE_UP)
            else:
                mapped.failed[file] = _nearest(candidates, votes)
        return mapped

    def mounted(self, path: str) -> Path | None:
        """Return where a path in the container is mounted from, None where it is not."""
        for target in sorted(self._source.mounts, key=len, reverse=True):
            if path == target:
                return self._source.mounts[target]
            if path.startswith(target + "/"):
                return self._source.mounts[target] / path[len(target) + 1 :]
        return None

    def _candidates(self, file: SourceFile) -> list[_Candidate]:
        """Return the files that have its name, each once."""
        named = self._by_name[PurePosixPath(file.path).name]
        found = {path.resolve(): _candidate(file.path, folder, path) for folder, path in named}
        return list(found.values())

    def _choose(
        self, mapped: Mapped, file: SourceFile, alike: list[_Candidate], votes: Counter[_Root]
    ) -> None:
        """Take the best of files with one content; any of them has the same lines."""

        def order(candidate: _Candidate) -> tuple[int, bool, int, int]:
            folder, path = candidate.folder, candidate.path
            beside = self._source.dockerfile.parent if self._source.dockerfile else folder
            hints = len(self._source.hints.intersection(path.relative_to(folder).parts))
            near = beside != folder and path.is_relative_to(beside)
            return votes[candidate.root], near, hints, -candidate.extra

        best = max(map(order, alike))
        chosen, *others = sorted(c.path.resolve() for c in alike if order(c) == best)
        mapped.found[file] = chosen
        if others:
            mapped.twins[chosen] = others


_Root = tuple[tuple[str, ...], tuple[str, ...]]
"""A folder in the container, and the one here that has the same below it."""


@dataclass(frozen=True)
class _Candidate:
    """A file that has the name of one that ran."""

    folder: Path
    """The build context that it was found in."""
    path: Path
    common: int
    """How many parts at the end its path has in common with the path in the container."""
    extra: int
    """How many more its path in the build context has before these."""
    root: _Root

    @property
    def is_sure(self) -> bool:
        """Whether its content tells it from others: every other package has an empty __init__."""
        return self.common > 1 or self.extra == 0 or self.path.name != "__init__.py"


def _candidate(container_path: str, folder: Path, path: Path) -> _Candidate:
    theirs, ours = PurePosixPath(container_path).parts, path.parts
    common = 0
    for their, our in zip(reversed(theirs), reversed(path.relative_to(folder).parts), strict=False):
        if their != our:
            break
        common += 1
    extra = len(path.relative_to(folder).parts) - common
    return _Candidate(folder, path, common, extra, (theirs[:-common], ours[:-common]))


def _alike(file: SourceFile, candidates: list[_Candidate]) -> list[_Candidate]:
    """Return those with its content that have the most of their paths in common with its own."""
    same = [c for c in candidates if _has_content(c.path, file)]
    most = max((c.common for c in same), default=0)
    return [c for c in same if c.common == most]


def _nearest(candidates: list[_Candidate], votes: Counter[_Root]) -> Unmapped:
    """Tell whether one of the files may have been this one, of which all are other texts."""
    near = [c for c in candidates if votes[c.root] or c.common > 1 or not votes]
    if not near:
        return Unmapped(NoSource.ABSENT)
    best = max(near, key=lambda c: (votes[c.root], c.common, -c.extra, str(c.path)))
    return Unmapped(NoSource.DIFFERS, best.path.resolve())


def _not_mounted(path: Path, file: SourceFile) -> Unmapped:
    if file.size is None:
        return Unmapped(NoSource.MADE_UP)
    return Unmapped(NoSource.EDITED, path) if path.is_file() else Unmapped(NoSource.ABSENT)


def source_files(folder: Path) -> Iterator[Path]:
    """Yield what may be Python below a folder: ``.py``, and scripts that have no suffix.

    Virtual environments and hidden folders are left out.
    """
    for current, folders, files in os.walk(folder):
        here = Path(current)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in {"__pycache__", "node_modules"}
            and not (here / name / "pyvenv.cfg").exists()
        )
        yield from (here / name for name in sorted(files) if Path(name).suffix in _PYTHONS_SUFFIXES)


def _has_content(path: Path, file: SourceFile) -> bool:
    try:
        if file.size is None:  # the container has only the compiled file: nothing to compare
            return path.is_file()
        if path.stat().st_size != file.size:
            return False
        return crc32(path.read_bytes()) == file.crc32
    except OSError:  # gone, or not to be read
        return False
