"""All that the outcome of a test may depend on, as it is at one moment."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nomock.adapters.git import Revision, ignored
from nomock.config import Settings
from nomock.coverage.affected.blocks import Block, blocks_of
from nomock.project import Project, build_folders, context_files

# In no image and in no suite, wherever a context begins.
_SKIPPED = frozenset(
    {".git", ".hg", ".nomock", ".venv", "__pycache__", "node_modules"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache"}
)
# Of vim, Emacs, and the editors of GNOME, KDE and JetBrains.
_OF_EDITOR = re.compile(
    r"\..*\.sw[a-z]|4913|.*~|\.?#.*#?|\.goutputstream-.*|.*\.kate-swp|.*___jb_\w+___"
)
# It stands for what a file held at a revision: enough to see that it was something else.
_AT_REVISION = "as it was"

Blocks = Mapping[str, Block]


@dataclass(frozen=True)
class State:
    """Files, each with a digest, and the sources that covered services ran, block by block."""

    compose: Mapping[Path, str]
    """The compose files, and what they name."""
    config: Mapping[str, str]
    """The digest of each service's resolved configuration: it has the environment in it too."""
    inputs: Mapping[Path, str]
    """All files that images are built from or containers mount, the Python ones too."""
    tests: Mapping[Path, str]
    """The test files, and what lies beside and below them."""
    sources: Mapping[Path, Blocks]

    def with_sources(self, files: Iterable[Path]) -> State:
        """Add the blocks of source files as they are now; one that is gone has none."""
        found = {file: blocks_of(file.read_bytes()) for file in files if file.is_file()}
        return replace(self, sources=found)


@dataclass(frozen=True)
class Suite:
    """Where the tests are."""

    root: Path
    """What the ids of tests are relative to."""
    folders: tuple[Path, ...]
    config_file: Path | None
    """pytest's configuration."""


def state_now(settings: Settings, project: Project, suite: Suite) -> State:
    """Read the files as they are now; no sources are among them yet."""
    report = settings.root / settings.coverage_report
    inputs = _digests(p for p in _inputs(settings, project) if not p.is_relative_to(report))
    tests = _digests(_tests(suite))
    # Where the whole checkout is a build's context, the tests are in it too, and no input of it.
    contexts = [f for s in project.services.values() for f in _folders(s.config)]
    of_tests = [f for f in suite.folders if not any(c.is_relative_to(f) for c in contexts)]
    for path in inputs.keys() & tests.keys():
        if is_named_as_test(path) or any(path.is_relative_to(folder) for folder in of_tests):
            del inputs[path]
        else:
            del tests[path]
    return State(
        compose=_digests(project.read),
        config={name: service.config_digest for name, service in project.services.items()},
        inputs=inputs,
        tests=tests,
        sources={},
    )


def watched_folders(project: Project, suite: Suite) -> list[Path]:
    """Return the folders of this machine that services are built of or mount, and the tests'."""
    of_services = (f for s in project.services.values() for f in _folders(s.config))
    found = {*of_services, *suite.folders}
    within = (f for f in found if f.is_relative_to(project.root) or f in suite.folders)
    return sorted(f for f in within if not any(other in f.parents for other in found))


def is_skipped(name: str) -> bool:
    """Tell whether a folder of a name is in no image and in no suite, wherever it lies."""
    return name in _SKIPPED


def is_of_editor(name: str) -> bool:
    """Tell whether a file has the name of what an editor keeps beside a file while it is open."""
    return _OF_EDITOR.fullmatch(name) is not None


def is_named_as_test(path: Path) -> bool:
    """Tell whether a file has a name that pytest looks for."""
    stem = path.stem if path.suffix == ".py" else ""
    return stem.startswith("test_") or stem.endswith("_test") or stem == "conftest"


def state_at(
    revision: Revision, now: State, loaded: Collection[Path], project: Project, suite: Suite
) -> State:
    """Return the present state with what git knows to have been different at a revision.

    ``loaded`` are the sources that covered services ran: those of which blocks are wanted.
    """
    compose, inputs, tests = dict(now.compose), dict(now.inputs), dict(now.tests)
    sources = dict(now.sources)
    folders_of: Iterable[tuple[dict[Path, str], Iterable[Path]]] = (
        (compose, ()),
        (inputs, [f for s in project.services.values() for f in _folders(s.config)]),
        (tests, suite.folders),
    )
    for path in revision.changed():
        content = revision.content(path)
        if path in loaded:
            sources.pop(path, None)
            if content is not None:
                sources[path] = blocks_of(content)
        for files, folders in folders_of:
            if path.is_dir():  # a repository of its own, of which git knows no more
                files |= {file: _AT_REVISION for file in files if file.is_relative_to(path)}
            elif content is None:
                files.pop(path, None)
            elif path in files or (
                not path.exists() and any(path.is_relative_to(folder) for folder in folders)
            ):
                files[path] = _AT_REVISION
    return State(compose, now.config, inputs, tests, sources)


def _inputs(settings: Settings, project: Project) -> Iterator[Path]:
    mounted: list[Path] = []
    for service in project.services.values():
        if service.is_built:
            for path in context_files(service.config["build"]):
                # Compared with the root: the checkout itself may lie below such a folder.
                if _SKIPPED.isdisjoint(Path(os.path.relpath(path, settings.root)).parts):
                    yield path
        yield from service.mounted_files
        for folder in _mounted_folders(service.config):
            # Somewhere else it is the machine's: /var/run, a volume, another project.
            if folder.is_relative_to(settings.root):
                mounted += _below(folder)
    written_by_services = ignored(settings.root, mounted)
    yield from (path for path in mounted if path not in written_by_services)


def _tests(suite: Suite) -> Iterator[Path]:
    if suite.config_file is not None:
        yield suite.config_file
    for folder in suite.folders:
        for parent in folder.parents:
            if parent.is_relative_to(suite.root):
                yield parent / "conftest.py"
        for path in _below(folder, is_suite=True):
            # Where the tests lie at the root, whatever is no Python is not taken for theirs.
            if path.suffix == ".py" or folder != suite.root:
                yield path


def _folders(config: Mapping[str, Any]) -> list[Path]:
    return [*build_folders(config.get("build") or {}), *_mounted_folders(config)]


def _mounted_folders(config: Mapping[str, Any]) -> list[Path]:
    binds = [v for v in config.get("volumes") or [] if v.get("type") == "bind"]
    return [path for bind in binds if (path := Path(bind["source"])).is_dir()]


def _below(folder: Path, *, is_suite: bool = False) -> Iterator[Path]:
    """Yield the files below a folder; those of another suite, with its own pytest.ini, not."""
    for current, names, files in os.walk(folder):
        here = Path(current)
        names[:] = [
            name
            for name in names
            if name not in _SKIPPED
            and not (here / name / "pyvenv.cfg").exists()
            and not (is_suite and (here / name / "pytest.ini").exists())
        ]
        yield from (here / name for name in files)


def _digests(paths: Iterable[Path]) -> dict[Path, str]:
    found = {}
    for path in {Path(os.path.normpath(path)) for path in paths}:
        if is_of_editor(path.name):
            continue
        if path.is_symlink():
            found[path] = f"link to {path.readlink()}"
        elif path.is_file():
            found[path] = digest_of(path)
    return found


def digest_of(path: Path) -> str:
    """Return a digest of a file's content and of whether it may be run."""
    try:
        content = path.read_bytes()
        runs = path.stat().st_mode & 0o111 != 0
    except OSError as error:  # what cannot be read here no build can send, and no test can load
        return f"unreadable: {error.strerror}"
    return hashlib.sha256(content).hexdigest() + ("+x" if runs else "")
