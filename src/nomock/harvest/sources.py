"""Which file of this machine is the one that a container ran.

The build contexts of the service are searched for it: same name, same content, and of those the
one that has the most of its path in common with the path in the container. What is mounted into
the container is known exactly and needs no search.
"""

from __future__ import annotations

import os
from binascii import crc32
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from nomock.harvest.records import SourceFile, is_source
from nomock.project import Project, build_folders


@dataclass(frozen=True)
class ServiceSource:
    """A service that is to be covered, and the folders of this machine that its code is from."""

    name: str
    folders: tuple[Path, ...]
    """The build context and the additional contexts."""
    mounts: Mapping[str, Path] = field(default_factory=dict)
    """Folders and files of this machine, by where they are in the container."""
    one_shot: bool = False
    """Whether it ends before the tests begin."""


def sources_of(project: Project) -> dict[str, ServiceSource]:
    """Return the services of a project that have a spy and a container, with their sources."""
    found = {name: source_of(name, project.services[name].config) for name in project.wanted}
    return {
        name: replace(source, one_shot=name in project.one_shots)
        for name, source in found.items()
        if source is not None
    }


def source_of(name: str, config: Mapping[str, Any]) -> ServiceSource | None:
    """Return the sources of a service by its resolved compose configuration.

    None when it has no spy, that is when NOMOCK_SPY_OUT is not in its environment.
    """
    spy_out = (config.get("environment") or {}).get("NOMOCK_SPY_OUT")
    if not spy_out:
        return None
    mounts = {
        volume["target"].rstrip("/"): Path(volume["source"])
        for volume in config.get("volumes") or []
        if volume.get("type") == "bind" and volume["target"] != spy_out
    }
    return ServiceSource(name, tuple(build_folders(config.get("build") or {})), mounts)


class HostPaths:
    """The mapping from the paths in a service's containers to those on this machine."""

    def __init__(self, source: ServiceSource) -> None:
        self._source = source
        self._by_name: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
        for folder in source.folders:
            for path in source_files(folder):
                self._by_name[path.name].append((folder, path))

    def map(
        self, files: Iterable[SourceFile]
    ) -> tuple[dict[SourceFile, Path], dict[SourceFile, str]]:
        """Return the path on this machine of each file, and of each that has none the reason.

        It has none where it is not here, is here with other content only, or could be one of
        several.
        """
        found: dict[SourceFile, Path] = {}
        failed: dict[SourceFile, str] = {}
        undecided: dict[SourceFile, list[Path]] = {}
        for file in files:
            candidates, reason = self._candidates(file)
            if len(candidates) == 1:
                found[file] = candidates[0]
            elif candidates:
                undecided[file] = candidates
            else:
                failed[file] = reason
        # Files that look alike (an empty __init__.py) are where the others of their folder are.
        known = {(PurePosixPath(f.path).parent, path.parent) for f, path in found.items()}
        for file, candidates in undecided.items():
            folder = PurePosixPath(file.path).parent
            fitting = [path for path in candidates if (folder, path.parent) in known]
            if len(fitting) == 1:
                found[file] = fitting[0]
            else:
                failed[file] = f"could be {' or '.join(map(str, candidates))}"
        return found, failed

    def _candidates(self, file: SourceFile) -> tuple[list[Path], str]:
        """Return the files that it may be, of equal rank, or none and the reason."""
        mounted = self._mounted(file.path)
        if mounted is not None:
            ranked = [((0, 0), mounted)] if mounted.is_file() else []
        else:
            ranked = [
                (rank(file.path, path.relative_to(folder)), path.resolve())
                for folder, path in self._by_name[PurePosixPath(file.path).name]
            ]
        if not ranked:
            return [], "no such file in its build contexts and mounts"
        same = [(order, path) for order, path in ranked if _has_content(path, file)]
        if not same:
            _, nearest = max(ranked)
            return [], f"differs from {nearest}"
        best = max(order for order, _ in same)
        return sorted({path for order, path in same if order == best}), ""

    def _mounted(self, path: str) -> Path | None:
        for target in sorted(self._source.mounts, key=len, reverse=True):
            if path == target:
                return self._source.mounts[target]
            if path.startswith(target + "/"):
                return self._source.mounts[target] / path[len(target) + 1 :]
        return None


def rank(container_path: str, relative: Path) -> tuple[int, int]:
    """Tell how well a file of a build context fits a path in the container; more is better.

    First by how many parts at the end the two have in common, then by how few the context's
    path has beside these.

    >>> rank("/app/auth/app.py", Path("auth/app.py")) > rank("/app/auth/app.py", Path("app.py"))
    True
    """
    ours, theirs = relative.parts[::-1], PurePosixPath(container_path).parts[::-1]
    common = 0
    for our, their in zip(ours, theirs, strict=False):
        if our != their:
            break
        common += 1
    return common, common - len(ours)


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
        yield from (here / name for name in sorted(files) if is_source(name))


def beside(path: Path) -> Iterator[Path]:
    """Yield the Python files that belong to a service because one that ran lies beside them.

    These are the files of its folder and, where that is a package, of its sub-packages.
    """
    folder = path.parent
    yield from folder.glob("*.py")
    if (folder / "__init__.py").is_file():
        for package in folder.glob("*/__init__.py"):
            yield from beside(package)


def _has_content(path: Path, file: SourceFile) -> bool:
    if file.size is None:  # the container has only the compiled file: nothing to compare
        return True
    if path.stat().st_size != file.size:
        return False
    return crc32(path.read_bytes()) == file.crc32
