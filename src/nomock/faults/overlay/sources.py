"""The files of a service in which the addresses of others may stand: its source, its settings.

A text says more than a setting does, so less of it is believed: an address of a URL, a host by its
name, a port that no version looks like (``postgres:16``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from nomock.project import Project, ServiceConfig, context_files

_MOST_FILES = 3000
_MOST_BYTES = 200_000
# Words about a project, and what tools have written: no program reads an address there.
_NO_SOURCE = re.compile(
    r"(^|/)(\.[^/]+|node_modules|site-packages|__pycache__|Dockerfile[^/]*)(/|$)"
    r"|compose[^/]*\.ya?ml$|\.(md|rst|lock|svg|map|min\.js|css|html?)$|(^|/)(package-lock\.json|CHANGELOG[^/]*)$",
    re.IGNORECASE,
)
_PORT = r"(?:80|443|\d{4,5})(?![\w.-])"


def texts(project: Project, service: ServiceConfig) -> Iterator[tuple[str, str]]:
    """Yield what a service is built of, and what it mounts as folders: the path, and the text."""
    named = (
        (path.relative_to(folder).as_posix(), path) for folder, path in _files(project, service)
    )
    source = ((name, path) for name, path in named if not _NO_SOURCE.search(name))
    for name, path in islice(source, _MOST_FILES):
        with suppress(OSError, ValueError):
            if path.stat().st_size <= _MOST_BYTES:
                yield name, path.read_text(encoding="utf-8")


def address(name: str) -> re.Pattern[str]:
    """Return what tells of a service by its name in a text that is no setting."""
    n = re.escape(name)
    return re.compile(
        rf"\w://(?:[^\s\"'@/]*@)?{n}(?=[/:?,\s\"'`]|$)"
        rf"|(?<![\w./:@-]){n}:{_PORT}"
        rf"|(?i:host(?:name)?s?|server|broker)[\"']?\s*(?::\s*\w+\s*=|[:=,]|=>)\s*\[?[\"']{n}[\"']"
        rf"|(?i:host|server|data source)={n}(?=[;\s\"'&])",
        re.MULTILINE,
    )


def ports(text: str, name: str) -> Iterator[int]:
    """Yield the ports that stand behind a service's name."""
    for found in re.finditer(rf"(?<![\w.-]){re.escape(name)}:({_PORT})", text):
        yield int(found[1])


def _files(project: Project, service: ServiceConfig) -> Iterator[tuple[Path, Path]]:
    """Yield files, each behind the folder that it is of.

    A context that several Dockerfiles have is nobody's own: there lies what all are made of.
    """
    builds = [s.config["build"] for s in project.services.values() if s.is_built]
    own = service.config.get("build") or {}
    made_of = {b.get("dockerfile") for b in builds if b.get("context") == own.get("context")}
    if own.get("context") and len(made_of) == 1 and Path(own["context"]).is_dir():
        context = Path(own["context"])
        yield from ((context, p) for p in context_files(own) if p.is_relative_to(context))
    contexts = [Path(b["context"]) for b in builds if b.get("context")]
    for volume in service.config.get("volumes") or []:
        folder = Path(str(volume.get("source") or "")) if volume.get("type") == "bind" else Path()
        if not folder.is_absolute() or not folder.is_dir() or _is_store(volume):
            continue
        # One with a context in it, or in one, was decided about above.
        if not any(c.is_relative_to(folder) or folder.is_relative_to(c) for c in contexts):
            yield from ((folder, path) for path in sorted(folder.rglob("*")) if path.is_file())


def _is_store(volume: Mapping[str, Any]) -> bool:
    target = PurePath(str(volume.get("target")))
    return target.is_relative_to("/var/lib") or target.is_relative_to("/data")
