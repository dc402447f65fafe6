"""The files of this machine that a service mounts, as the contents of ConfigMaps.

A ConfigMap has room for 1 MiB; the files of a folder are dealt out to as many as they need, and one
volume brings them together again.
https://kubernetes.io/docs/concepts/configuration/configmap/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.errors import NotPromotableError
from nomock.sandbox.render.naming import digest, label_of

ROOM = 2**20
"""The bytes that a ConfigMap may have."""
MOST_FOLDER = 8 * ROOM
"""The bytes that a mounted folder may have: more belongs into an image."""
_NOBODYS = {"__pycache__", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
# The names of its files count, too.
_LARGEST = ROOM - 2**9
_ROOM_FOR_FILES = ROOM - 64 * 2**10


@dataclass(frozen=True)
class File:
    """What is in a file, and whether it may be run."""

    content: bytes
    is_executable: bool = False


@dataclass(frozen=True)
class ConfigFiles:
    """The files of one ConfigMap: its name, and what is in it."""

    name: str
    origin: str
    """The path that it was made of, as the project's folder has it."""
    contents: Mapping[str, File]
    """By the keys of the ConfigMap."""
    paths: Mapping[str, str]
    """The path of each key below the mount."""


def config_files(label: str, origin: str, contents: Mapping[str, File]) -> list[ConfigFiles]:
    """Return the ConfigMaps of some files, by their paths; their names tell their contents.

    Raises NotPromotableError where one is too large for a ConfigMap.
    """
    shares: list[dict[str, File]] = [{}]
    room = _ROOM_FOR_FILES
    for path, file in contents.items():
        if len(file.content) > _LARGEST:
            raise too_large(f"{origin}/{path}" if path else origin, len(file.content))
        if shares[-1] and len(file.content) > room:
            shares.append({})
            room = _ROOM_FOR_FILES
        shares[-1][path] = file
        room -= len(file.content)
    return [_config_files(label, origin, share) for share in shares]


def read_file(path: Path) -> File:
    """Read a file; raise NotPromotableError where it cannot be read, or is too large.

    Where it is too large it is not read.
    """
    try:
        status = path.stat()
        if status.st_size > _LARGEST:
            raise too_large(str(path), status.st_size)
        return File(path.read_bytes(), bool(status.st_mode & 0o100))
    except OSError as error:
        raise unreadable(path, error) from error


def read_folder(folder: Path) -> dict[str, File]:
    """Read each file of a folder by its path below it, without what is nobody's.

    Raises NotPromotableError where they are too large, and where one cannot be read.
    """
    sizes = {}
    total = 0
    for path in _files(folder):
        sizes[path] = path.stat().st_size
        total += sizes[path]
        if total > MOST_FOLDER:
            largest = max(sizes, key=lambda path: sizes[path])
            raise NotPromotableError(
                f"this folder is too large to be mounted: more than {_mib(MOST_FOLDER)}",
                where=str(folder),
                seen=f"the largest file so far: {largest.relative_to(folder)}, "
                f"{_mib(sizes[largest])}",
                todo="copy it into the image; or say in x-nomock what becomes of this mount, empty "
                "or none: nomock docs sandbox",
            )
    return {path.relative_to(folder).as_posix(): read_file(path) for path in sorted(sizes)}


def unreadable(path: Path, error: OSError) -> NotPromotableError:
    """Return the error about what a service mounts and this user may not read."""
    return NotPromotableError(
        "what a service mounts cannot be read",
        where=str(path),
        seen=str(error),
        todo="let this user read it, or take the mount out",
    )


def too_large(where: str, size: int) -> NotPromotableError:
    """Return the error about a file that has no room in a ConfigMap."""
    return NotPromotableError(
        f"this file is too large for a ConfigMap: {_mib(size)}, and it has room for 1 MiB",
        where=where,
        todo="copy it into the image; or say in x-nomock what becomes of this mount, empty or "
        "none: nomock docs sandbox",
    )


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder, onerror=_raised):
        folders[:] = sorted(name for name in folders if name not in _NOBODYS)
        paths = (Path(root, name) for name in sorted(files))
        yield from (path for path in paths if path.is_file())  # no sockets, no links to nowhere


def _raised(error: OSError) -> None:
    raise error


def _config_files(label: str, origin: str, contents: Mapping[str, File]) -> ConfigFiles:
    keys: dict[str, str] = {}
    for path in contents:
        key = re.sub(r"[^-._a-zA-Z0-9]", "_", path or origin.rpartition("/")[2])[-200:]
        # `a/b` and `a_b` are two files.
        keys[f"{len(keys)}-{key}" if key in keys else key] = path
    parts = [
        part
        for path, file in contents.items()
        for part in (path.encode(), file.content, b"x" * file.is_executable)
    ]
    named = {key: contents[path] for key, path in keys.items()}
    return ConfigFiles(f"{label_of(label)}-{digest(*parts)}", origin, named, keys)


def _mib(size: int) -> str:
    return f"{size / ROOM:.1f} MiB"
