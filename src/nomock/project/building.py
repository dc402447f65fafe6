"""Build without what is nobody's source, and without a word in the user's files.

The builder takes its rules from ``<Dockerfile>.dockerignore`` before it looks for the context's own
file. So a Dockerfile is copied, and beside the copy stand the user's rules and then ours. Compose
gets a file in which the builds name the copies, as its standard input: it may hold secrets. A build
in whose contexts nothing of ours lies stays as it is, and so do all where none has any.
https://docs.docker.com/build/concepts/context/#filename-and-location
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nomock.project.build_context import Build, Context
from nomock.project.model import Project
from nomock.project.scan import scan
from nomock.statefolder import writing

_USED_BY_BUILDS = ("image", "platform", "pull_policy")
# As Go reads it: the builder of old, which knows of no rules beside a Dockerfile.
_NO_BUILDKIT = {"0", "f", "F", "false", "False", "FALSE"}


@contextmanager
def build_text(project: Project, names: Collection[str], state_dir: Path) -> Iterator[str | None]:
    """Give the text of the compose file to build some services by; None: the user's own will do.

    Raises StateFolderError where the folder with what it names cannot be written.
    """
    builds = {name: s.build for name, s in project.services.items() if s.is_built}
    if not any(_holds_ours(context) for name in names for context in builds[name].contexts):
        yield None
        return
    folder = _own_folder(state_dir / f"building-{project.name}")
    try:
        with writing(folder):
            text = _text(project, builds, names, folder)
        yield text
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _text(
    project: Project, builds: Mapping[str, Build], names: Collection[str], folder: Path
) -> str:
    """Return the text of the compose file, with what it names put into a folder."""
    services = {}
    for name, build in builds.items():
        config = project.services[name].config
        own = folder / name
        own.mkdir()
        services[name] = {key: config[key] for key in _USED_BY_BUILDS if key in config}
        is_wanted = name in names  # the others are there because builds may name them
        services[name]["build"] = _without_ours(build, own) if is_wanted else build.section
    text = {"name": project.name, "services": services, "secrets": dict(project.secrets)}
    # All of it is resolved: what looks like a variable is none.
    return json.dumps(text).replace("$", "$$")


def _own_folder(path: Path) -> Path:
    """Make a folder for this user alone; where it cannot be there, somewhere else."""
    shutil.rmtree(path, ignore_errors=True)  # of a run that was killed
    try:
        path.mkdir(mode=0o700)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="nomock-building-"))
    return path


def _holds_ours(context: Context) -> bool:
    """Tell whether the user's rules leave in what ours leave out."""
    folder = str(context.folder)
    with_ours = sum(1 for _ in scan(folder, context.users))
    return with_ours != sum(1 for _ in scan(folder, context.ignore))


def _without_ours(build: Build, own: Path) -> dict[str, Any]:
    """Return a ``build`` section for which the builder is sent nothing of ours."""
    section = dict(build.section)
    additional: Mapping[str, str] = section.get("additional_contexts") or {}
    for number, context in enumerate(build.contexts):
        if not _holds_ours(context):
            continue
        is_main = str(context.folder) == section.get("context")
        if is_main and _has_rules_beside_dockerfile(build):
            section |= _with_copied_dockerfile(build, context, own)
            section.pop("dockerfile_inline", None)
            continue
        # An additional context has no rules but those in its own folder.
        copy = _copied(context, own / f"context-{number}")
        if is_main:
            section["context"] = str(copy)
        additional = {
            name: str(copy) if named == str(context.folder) else named
            for name, named in additional.items()
        }
    return section | ({"additional_contexts": additional} if additional else {})


def _has_rules_beside_dockerfile(build: Build) -> bool:
    if os.environ.get("DOCKER_BUILDKIT") in _NO_BUILDKIT:
        return False
    return build.dockerfile is not None or "dockerfile_inline" in build.section


def _with_copied_dockerfile(build: Build, context: Context, own: Path) -> dict[str, str]:
    """Copy the Dockerfile, by its name, of which the builder speaks; return what to change."""
    try:
        if build.dockerfile is None:
            name, text = "Dockerfile", str(build.section["dockerfile_inline"]).encode()
        else:
            name, text = build.dockerfile.name, build.dockerfile.read_bytes()
        users = context.rules_file.read_bytes() if context.rules_file else b""
    except OSError:
        return {}  # the builder cannot read it, either, and says so
    (own / name).write_bytes(text)
    ours = context.ignore.lines[len(context.users.lines) :]
    rules = b"\n".join([users, *map(os.fsencode, ours), b""])
    (own / f"{name}.dockerignore").write_bytes(rules)
    return {"dockerfile": str(own / name)}


def _copied(context: Context, target: Path) -> Path:
    """Copy what is not left out: a link to a file would change the stats of the user's own."""
    target.mkdir()
    folders = []
    for entry in scan(str(context.folder), context.ignore):
        path, copy = context.folder / entry.path, target / entry.path
        if entry.is_folder:
            copy.mkdir(parents=True, exist_ok=True)
            folders.append((copy, entry.mode & 0o7777))
        elif path.is_symlink() or path.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy2(path, copy, follow_symlinks=False)
    for copy, mode in reversed(folders):
        copy.chmod(mode)
    return target
