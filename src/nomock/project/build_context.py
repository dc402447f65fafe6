"""What an image is built from: the build's settings, its Dockerfile, the folders it may copy."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nomock.project.contents import Contents, look
from nomock.project.ignore import Ignore, read_lines, rules_file
from nomock.project.left_out import ONLY_NAMES, LeftOut
from nomock.project.scan import scan
from nomock.project.written import NOTHING, Written

_DOCKERFILE = "Dockerfile"
# A Dockerfile that names git's folder makes something of the commit: a version, mostly.
_NAMES_GIT = re.compile(rb"(?<![\w.-])\.git(?![\w.-])")


@dataclass(frozen=True)
class Context:
    """A folder of this machine that an image is built from."""

    folder: Path
    users: Ignore
    """The user's rules of what is not sent."""
    ignore: Ignore
    """The user's rules, followed by nomock's own."""
    rules_file: Path | None


@dataclass(frozen=True)
class Sources:
    """What one look at all that an image is built from found."""

    digest: str
    stats: str
    """A digest of all stats: while it is the same, nothing was written."""
    _others: Mapping[Path, str]
    """The digests of what is in no context."""
    _contents: Sequence[tuple[Path, Contents]]

    def parts(self, root: Path) -> dict[str, str]:
        """Return what it was made of, each part with its digest: files by their path from root.

        The settings of the build are the part without a name.
        """
        found = {_relative(path, root): digest for path, digest in self._others.items()}
        for folder, contents in self._contents:
            prefix = _relative(folder, root)
            for path, what in contents.files.items():
                found[os.path.normpath(f"{prefix}/{path}")] = what
        return found


@dataclass(frozen=True)
class Build:
    """A resolved ``build`` section, and how to look at what it names."""

    section: Mapping[str, Any]
    left_out: LeftOut = ONLY_NAMES
    state_dir: Path | None = None
    """Where to keep what was read; None: nothing is kept."""
    written: Written = NOTHING
    """What in its contexts is no source, since services write it."""

    @cached_property
    def dockerfile(self) -> Path | None:
        """The Dockerfile on this machine; None where it stands in the compose file or elsewhere."""
        if "dockerfile_inline" in self.section or not self.section.get("context"):
            return None
        found = dockerfile_of(self.section)
        return found if _is_there(found) else None

    @property
    def contexts(self) -> list[Context]:
        """The folders of this machine, with their rules as they are now; the context's first.

        A Dockerfile's own rules are about the context alone.
        """
        return [
            self._context(folder, self.dockerfile if is_first else None)
            for folder, is_first in _folders(self.section)
        ]

    def _context(self, folder: Path, dockerfile: Path | None) -> Context:
        file = rules_file(folder, dockerfile)
        lines = read_lines(file) if file else []
        users = Ignore(lines)
        ignore = Ignore([*lines, *self.left_out.rules(folder, users)])
        return Context(folder, users, ignore, file)

    def look(self) -> Sources:
        """Look at all of it as it is now; what is the same as before is not read."""
        contents = [(context.folder, self._contents(context)) for context in self.contexts]
        others = {Path(): _digest(self.section), **self._dockerfile_digests()}
        told = sorted((str(path), digest) for path, digest in others.items())
        return Sources(
            _digest([told, [c.digest for _, c in contents]]),
            _digest([told, [c.stats for _, c in contents]]),
            others,
            contents,
        )

    def _contents(self, context: Context) -> Contents:
        written = self.written.within(context.folder)
        return look(context.folder, context.ignore, self._memory(context, written), written)

    def files(self) -> Iterator[Path]:
        """Yield the Dockerfile and every file that the builder is sent."""
        if self.dockerfile:
            yield self.dockerfile
        for context in self.contexts:
            for entry in scan(str(context.folder), context.ignore):
                if not entry.is_folder:
                    yield context.folder / entry.path

    def _memory(self, context: Context, written: Written) -> Path | None:
        """Return the file for what is known of a context: one for each folder and its rules."""
        if self.state_dir is None:
            return None
        rules = [str(context.rules_file), *([written.stores, written.own] if written else [])]
        key = _digest([str(context.folder), *rules])[:16]
        return self.state_dir / f"context-{key}.json"

    def _dockerfile_digests(self) -> dict[Path, str]:
        text = str(self.section.get("dockerfile_inline", "")).encode()
        found = {}
        if self.dockerfile is not None:
            try:
                text = self.dockerfile.read_bytes()
                found[self.dockerfile] = hashlib.sha256(text).hexdigest()
            except OSError as error:
                found[self.dockerfile] = f"unread: {error.strerror}"
        if _NAMES_GIT.search(text):
            from nomock.adapters.git import commit_of

            context = Path(self.section["context"])
            found[context / ".git"] = commit_of(context)
        return found


def dockerfile_of(build: Mapping[str, Any]) -> Path:
    """Return where the Dockerfile of a resolved ``build`` section is, if it is on this machine."""
    named = Path(str(build["context"]), build.get("dockerfile") or _DOCKERFILE)
    # Where it has its usual name, BuildKit takes it in small letters, too.
    lower = named.with_name(_DOCKERFILE.lower())
    if named.name == _DOCKERFILE and not _is_there(named) and _is_there(lower):
        return lower
    return named


def context_files(build: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the Dockerfile and every file that the builder is sent."""
    return Build(build).files()


def build_folders(build: Mapping[str, Any]) -> list[Path]:
    """Return the folders of this machine that an image is built from, the context's first.

    A context may also be an image or a repository's address: these are left out.
    """
    return [folder for folder, _ in _folders(build)]


def _folders(build: Mapping[str, Any]) -> Iterator[tuple[Path, bool]]:
    named = [build.get("context"), *(build.get("additional_contexts") or {}).values()]
    for number, context in enumerate(named):
        if context and _is_there(Path(context)) and Path(context).is_dir():
            yield Path(context), number == 0


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be looked into
        return False


def mounted_files(config: Mapping[str, Any], project: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the single files of this machine that a service mounts, as a volume or otherwise.

    ``config`` is the service's part of the resolved configuration, ``project`` the whole.
    """
    sources = [v.get("source") for v in config.get("volumes") or [] if v.get("type") == "bind"]
    for kind in ("configs", "secrets"):
        for used in config.get(kind) or []:
            sources.append((project.get(kind) or {}).get(used["source"], {}).get("file"))
    for path in (Path(source) for source in sources if source):
        if _is_there(path) and path.is_file() and not path.is_socket():
            yield path


def _relative(path: Path, root: Path) -> str:
    """Return a path as seen from the project's folder, empty for the build's settings."""
    return os.path.relpath(path, root) if path.parts else ""


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
