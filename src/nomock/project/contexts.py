"""A digest of a build context: what ``docker build`` would be sent, by content.

By content and not by time stamp, because a checkout or a copy changes every time stamp, and
nothing else. Service folders are small: reading one takes a millisecond or two.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nomock.project.ignore import Ignore


def context_digest(build: Mapping[str, Any]) -> str:
    """Return the digest of a resolved ``build`` section: its settings, Dockerfile and folders."""
    digest = hashlib.sha256(json.dumps(build, sort_keys=True).encode())
    dockerfile = dockerfile_of(build)
    if dockerfile.is_file():
        digest.update(dockerfile.read_bytes())
    for folder in build_folders(build):
        _add_folder(digest, folder, Ignore.of(folder, dockerfile))
    return digest.hexdigest()


def dockerfile_of(build: Mapping[str, Any]) -> Path:
    """Return where the Dockerfile of a resolved ``build`` section is."""
    return Path(build["context"], build.get("dockerfile", "Dockerfile"))


def context_files(build: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the Dockerfile and every file that the builder is sent."""
    dockerfile = dockerfile_of(build)
    yield dockerfile
    for folder in build_folders(build):
        yield from (folder / path for path in _files(folder, "", Ignore.of(folder, dockerfile)))


def build_folders(build: Mapping[str, Any]) -> list[Path]:
    """Return the folders of this machine that an image is built from, the context's first.

    A context may also be an image or a repository's address: these are left out.
    """
    named = [build.get("context"), *(build.get("additional_contexts") or {}).values()]
    return [Path(context) for context in named if context and Path(context).is_dir()]


def mounted_files(config: Mapping[str, Any], project: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the single files of this machine that a service mounts, as a volume or otherwise.

    ``config`` is the service's part of the resolved configuration, ``project`` the whole.
    """
    sources = [v.get("source") for v in config.get("volumes") or [] if v.get("type") == "bind"]
    for kind in ("configs", "secrets"):
        for used in config.get(kind) or []:
            sources.append((project.get(kind) or {}).get(used["source"], {}).get("file"))
    for path in (Path(source) for source in sources if source):
        if path.is_file() and not path.is_socket():
            yield path


def _add_folder(digest: Any, folder: Path, ignore: Ignore) -> None:
    for path in _files(folder, "", ignore):
        full = folder / path
        # BuildKit looks at the permission bits too, but not at the time.
        mode = full.lstat().st_mode
        digest.update(f"\0{path}\0{mode:o}\0".encode())
        if full.is_symlink():
            digest.update(str(full.readlink()).encode())
        elif full.is_file():
            digest.update(hashlib.sha256(full.read_bytes()).digest())


def _files(folder: Path, prefix: str, ignore: Ignore) -> Iterator[str]:
    for entry in sorted(os.scandir(folder / prefix), key=lambda e: e.name):
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if ignore.may_keep_below(path):
                yield from _files(folder, f"{path}/", ignore)
        elif not ignore.ignores(path):
            yield path
