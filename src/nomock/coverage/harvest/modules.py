"""The modules of the app, by name: what may be installed in an image as a package of its own.

An app that is installed (``pip install .``) runs from site-packages, where the spy takes nothing
for the app's. So it is told before a run which names are: ``app-modules.json`` in the folder that
it writes to, ``{"till": ["shop", "company.till"]}`` by service. A dependency may have the same
name: what it reports counts only where its content is that of a file here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from nomock.coverage.harvest.records import SourceFile
from nomock.coverage.harvest.services import ServiceSource
from nomock.coverage.harvest.sources import Mapped, NoSource, Unmapped, source_files
from nomock.statefolder import writing

MODULES_FILE = "app-modules.json"

_PACKAGES = ("site-packages", "dist-packages")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_SOURCE_FOLDERS = ("src", "lib", "python")
# What stands in many repositories, and in site-packages as a mistake of somebody else's.
_NO_MODULES = {
    *("build", "conftest", "dist", "doc", "docs", "example", "examples", "lib", "setup", "src"),
    *("test", "tests", "third_party", "vendor", "venv"),
}


def tell_modules(data_dir: Path, services: Mapping[str, ServiceSource]) -> None:
    """Write down the names of each service's modules, for its spy to read when it starts.

    Raises StateFolderError.
    """
    told = {
        name: sorted({m for folder in source.folders for m in modules(folder)})
        for name, source in services.items()
    }
    path = data_dir / MODULES_FILE
    with writing(data_dir):
        path.write_text(json.dumps(told), encoding="utf-8")
        path.chmod(0o644)  # whatever umask is here: the services are other users


def modules(folder: Path) -> set[str]:
    """Return the names of the modules that the sources in a folder may be installed as."""
    found: set[str] = set()
    folders: dict[Path, set[str]] = {}
    for path in source_files(folder):
        if path.suffix == ".py":
            if path.parent not in folders:
                below = _below_root(folder, path.parent)
                folders[path.parent] = {below, _package(path.parent) or below}
            found |= {name or path.stem for name in folders[path.parent]}
    return {name for name in found if _is_module(name)}


def of_app(mapped: Mapped) -> Mapped:
    """Return a mapping without the files of dependencies; what is not installed stays.

    An installed package is the app's where a file of it that is not empty is one here. Its own
    name may be another: ``package-dir = {"shop" = "app"}``.
    """
    installed = {f: parts for f in (*mapped.found, *mapped.failed) if (parts := _installed(f.path))}
    apps = {
        parts[0]
        for file, parts in installed.items()
        if file.size and file in mapped.found and _ends(mapped.found[file], parts[1:] or parts)
    }

    def counts(file: SourceFile) -> bool:
        parts = installed.get(file)
        return parts is None or parts[0] in apps

    return Mapped(
        {file: path for file, path in mapped.found.items() if counts(file)},
        dict(_failed(mapped, installed, apps)),
        mapped.twins,
    )


def _failed(
    mapped: Mapped, installed: Mapping[SourceFile, tuple[str, ...]], apps: set[str]
) -> Iterator[tuple[SourceFile, Unmapped]]:
    for file, why in mapped.failed.items():
        parts = installed.get(file)
        if parts is None:
            yield file, why
        elif parts[0] in apps:
            # Another file of this name is not this one's older text: a module has one place.
            here = why.nearest is not None and _ends(why.nearest, parts[1:] or parts)
            yield file, why if here else Unmapped(NoSource.ABSENT)


def _ends(path: Path, parts: tuple[str, ...]) -> bool:
    return path.parts[-len(parts) :] == parts


def _installed(path: str) -> tuple[str, ...]:
    """Return the parts of a path below site-packages; none where it is not there."""
    parts = PurePosixPath(path).parts
    at = [n for n, part in enumerate(parts) if part in _PACKAGES]
    return parts[at[-1] + 1 :] if at else ()


def _below_root(folder: Path, parent: Path) -> str:
    """Return the package of a folder as its project's root has it; "" for the root itself.

    Folders above a package that are none themselves are a namespace: ``company.shop``.
    """
    root = parent
    while root != folder and not any((root / name).is_file() for name in _PROJECT_FILES):
        root = root.parent
    parts = parent.relative_to(root).parts
    if parts and parts[0] in _SOURCE_FOLDERS and not (root / parts[0] / "__init__.py").exists():
        root, parts = root / parts[0], parts[1:]
    for number in range(1, len(parts)):
        if root.joinpath(*parts[:number], "__init__.py").is_file():
            return ".".join(parts[:number])
    return ".".join(parts)


def _package(parent: Path) -> str:
    """Return the name of the outermost package that a folder is in, "" where it is in none."""
    name = ""
    while (parent / "__init__.py").is_file():
        name, parent = parent.name, parent.parent
    return name


def _is_module(name: str) -> bool:
    first, *_ = parts = name.split(".")
    return (
        all(map(str.isidentifier, parts))
        and _NO_MODULES.isdisjoint(parts)
        and first not in sys.stdlib_module_names
        and not parts[-1].startswith("test_")
    )
