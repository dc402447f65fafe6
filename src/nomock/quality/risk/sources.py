"""The Python sources of a project's services: what is built into them, or mounted as a folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nomock.project import Project, ServiceConfig, build_folders

_MOST_FILES = 5000
# Tests of services, what others wrote, and what only sets a package up.
_NOT_THEIRS = re.compile(
    r"(^|/)(tests?|\.[^/]+|node_modules|site-packages|venv|__pycache__)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest|setup)\.py$"
)


@dataclass(frozen=True)
class ServiceSources:
    """The sources of one service."""

    service: str
    own: tuple[Path, ...]
    """Those of its build context, and of the folders that it mounts."""
    shared: tuple[Path, ...]
    """Those of other folders that its image may be made of: it has what it imports."""
    roots: tuple[Path, ...]
    """The folders from which a module may be imported."""


def sources_of(project: Project, *, without: Iterable[str] = ()) -> list[ServiceSources]:
    """Return the sources of each service that has any; ``without``: the equipment of tests."""
    left_out = {*without}
    found = (_of(s) for name, s in project.services.items() if name not in left_out)
    return [sources for sources in found if sources.own]


def services_by_file(
    sources: Iterable[ServiceSources], importers: dict[Path, set[Path]]
) -> dict[Path, set[str]]:
    """Return which services run a file: their own, and those with a file that imports it."""
    found: dict[Path, set[str]] = defaultdict(set)
    for one in sources:
        own = {*one.own}
        for file in one.own:
            found[file].add(one.service)
        for file in one.shared:
            if own & importers.get(file, set()):
                found[file].add(one.service)
    return found


def _of(service: ServiceConfig) -> ServiceSources:
    folders = build_folders(service.config["build"]) if service.is_built else []
    mounted = [*_mounted(service)]
    sent = [*islice(service.build.files(), _MOST_FILES)] if service.is_built else []
    own = [file for folder in folders[:1] for file in _theirs(sent, folder)]
    own += [file for folder in mounted for file in _theirs(_below(folder), folder)]
    shared = [file for folder in folders[1:] for file in _theirs(sent, folder)]
    roots = [*folders, *mounted]
    return ServiceSources(
        service.name,
        tuple(dict.fromkeys(own)),
        tuple(dict.fromkeys(file for file in shared if file not in own)),
        tuple(roots),
    )


def _theirs(files: Iterable[Path], folder: Path) -> Iterator[Path]:
    for file in files:
        is_of = file.suffix == ".py" and file.is_relative_to(folder)
        if is_of and not _NOT_THEIRS.search(file.relative_to(folder).as_posix()):
            yield file


def _mounted(service: ServiceConfig) -> Iterator[Path]:
    for volume in service.config.get("volumes") or []:
        folder = Path(str(volume.get("source") or ""))
        if volume.get("type") == "bind" and folder.is_absolute() and folder.is_dir():
            yield folder


def _below(folder: Path) -> Iterator[Path]:
    return islice(folder.rglob("*.py"), _MOST_FILES)
