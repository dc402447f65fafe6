"""The files that never ran, and count all the same: those beside one that did, in the image.

They count for a service where they are its own; a file of a shared build context, which each of
several services has in its image, counts once, in the total.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nomock.coverage.harvest.inside import Unknown
from nomock.coverage.harvest.services import ServiceSource

_NO_APP = {"conftest.py", "setup.py", "tests.py"}
_TEST_FOLDERS = {"test", "tests"}


@dataclass(frozen=True)
class Unrun:
    """The files of a service that never ran."""

    own: frozenset[Path] = frozenset()
    shared: frozenset[Path] = frozenset()
    tests: frozenset[Path] = frozenset()
    """Tests that are in the image, and no part of the app."""

    def without(self, paths: Collection[Path | None]) -> Unrun:
        """Return these files without some of them."""
        return Unrun(*(frozenset(s).difference(paths) for s in (self.own, self.shared, self.tests)))


def unrun(source: ServiceSource, ran: Mapping[Path, Iterable[str]], inside: Unknown) -> Unrun:
    """Return what of a service never ran; ``ran`` are the files that did -> where in it."""
    at: defaultdict[Path, set[str]] = defaultdict(set)
    folders = {(path.parent, PurePosixPath(p).parent) for path, paths in ran.items() for p in paths}
    for folder, in_container in folders:
        for other in beside(folder):
            if other not in ran:
                at[other].add(str(in_container / other.relative_to(folder)))
    there = inside.there(source.name, set().union(*at.values()))
    found = {path for path, paths in at.items() if paths & there}
    tests = {path for path in found if is_test(path, known={p.parent for p in ran})}
    own = {path for path in found - tests if is_own(source, path)}
    return Unrun(frozenset(own), frozenset(found - tests - own), frozenset(tests))


def is_own(source: ServiceSource, path: Path) -> bool:
    """Tell whether a file is of the service itself, and not of a shared build context."""
    own = source.own
    return not own or any(path.is_relative_to(folder) for folder in own)


def is_test(path: Path, known: set[Path]) -> bool:
    """Tell whether a file that never ran is a test, or what only a test or an installer reads.

    ``known`` are folders of the app, whatever their names are.
    """
    if path.name in _NO_APP or path.stem.startswith("test_") or path.stem.endswith("_test"):
        return True
    return path.parent.name in _TEST_FOLDERS and path.parent not in known


def beside(folder: Path) -> Iterator[Path]:
    """Yield the Python files that belong to a service because one that ran is in their folder.

    Where the folder is a package, those of its sub-packages do, too.
    """
    yield from filter(Path.is_file, folder.glob("*.py"))
    if (folder / "__init__.py").is_file():
        for package in folder.glob("*/__init__.py"):
            yield from beside(package.parent)
