"""The files that a service has in its image or mounts as folders, as far as they are here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from nomock.contracts.dockerfile import Dockerfile, read_dockerfile
from nomock.project import Project, ServiceConfig
from nomock.project.build_context import Context
from nomock.project.scan import scan

_MOST_FILES = 5000
_MOST_BYTES = 400_000
_STORES = re.compile(r"/(var/lib|var/log|data|bitnami)(/|$)")
# What no service of its own reads variables in: what tools wrote, words about a project, tests.
_NO_SOURCE = re.compile(
    r"(^|/)(\.git|\.venv|venv|node_modules|site-packages|__pycache__|\.tox|\.mypy_cache|dist)(/|$)"
    r"|\.(md|rst|lock|svg|map|min\.js|css|png|jpg|gif|ico|woff2?|pyc|so|po|mo|csv|sql|html?)$"
    r"|(^|/)(package-lock\.json|(docker-)?compose[^/]*\.ya?ml|[^/]*Dockerfile[^/]*)$",
    re.IGNORECASE,
)
_TESTS = re.compile(r"(^|/)(tests?|conftest\.py|test_[^/]*\.py|[^/]*_test\.py)(/|$)")


@dataclass(frozen=True)
class ImageFiles:
    """The texts of a service: what it may read variables in."""

    dockerfile: Dockerfile
    dockerfile_name: str
    texts: Mapping[PurePosixPath, str] = field(default_factory=dict)
    """Path from the project's folder -> text; words about a project are not among them."""

    @cached_property
    def words(self) -> frozenset[str]:
        """All words that stand in them."""
        return frozenset(w for text in self.texts.values() for w in re.findall(r"\w+", text))

    @cached_property
    def sources(self) -> Mapping[PurePosixPath, str]:
        """The texts without those of tests, which no service runs."""
        return {p: text for p, text in self.texts.items() if not _TESTS.search(str(p))}

    def named(self, path: str) -> list[PurePosixPath]:
        """Return the files that a path in the image may mean: those with the most of its end."""
        parts = [p for p in PurePosixPath(path).parts if p not in {"/", "."}]
        for length in range(len(parts), 0, -1):
            end = tuple(parts[-length:])
            found = [p for p in self.texts if p.parts[-length:] == end]
            if found:
                return found
        return []


def image_files(project: Project, service: ServiceConfig) -> ImageFiles:
    """Return what of a service's files is here; no files of an image that is not built here."""
    dockerfile, name = _dockerfile(project, service)
    texts = {}
    seen: set[Path] = set()
    for path in islice(_files(service, dockerfile), _MOST_FILES):
        with suppress(OSError, ValueError):
            real = path.resolve()
            if real not in seen and path.stat().st_size <= _MOST_BYTES:
                seen.add(real)
                shown = PurePosixPath(Path(os.path.relpath(path, project.root)).as_posix())
                texts[shown] = path.read_text(encoding="utf-8")
    return ImageFiles(dockerfile, name, texts)


def _dockerfile(project: Project, service: ServiceConfig) -> tuple[Dockerfile, str]:
    text, name = "", "Dockerfile"
    if service.is_built:
        build = service.build
        text = str(build.section.get("dockerfile_inline") or "")
        if build.dockerfile is not None:
            with suppress(OSError, ValueError):
                text = build.dockerfile.read_text(encoding="utf-8")
            name = Path(os.path.relpath(build.dockerfile, project.root)).as_posix()
    return read_dockerfile(text), name


def _files(service: ServiceConfig, dockerfile: Dockerfile) -> Iterator[Path]:
    if service.is_built:
        for name, context in _contexts(service):
            for entry in scan(str(context.folder), context.ignore):
                is_text = not entry.is_folder and _is_source(entry.path)
                if is_text and dockerfile.copies(name, entry.path):
                    yield context.folder / entry.path
    for volume in service.config.get("volumes") or []:
        folder = Path(str(volume.get("source") or ""))
        if volume.get("type") != "bind" or not folder.is_absolute():
            continue
        if folder.is_dir() and not _STORES.match(str(volume.get("target"))):
            yield from _below(folder)
        elif folder.is_file() and _is_source(folder.name):
            yield folder


def _contexts(service: ServiceConfig) -> Iterator[tuple[str, Context]]:
    section = service.build.section
    names = {str(path): name for name, path in (section.get("additional_contexts") or {}).items()}
    for context in service.build.contexts:
        yield names.get(str(context.folder), ""), context


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        inside = Path(where).relative_to(folder).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        folders[:] = sorted(f for f in folders if _is_source(f"{prefix}{f}"))
        for name in sorted(files):
            if _is_source(f"{prefix}{name}"):
                yield Path(where, name)


def _is_source(path: str) -> bool:
    return not _NO_SOURCE.search(path)
