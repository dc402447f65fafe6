"""The services that are to be covered, and the folders of this machine that their code is from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.project import Project, build_folders
from nomock.project.contexts import dockerfile_of

# https://docs.docker.com/reference/dockerfile/#from and #copy---from
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)|^\s*COPY\s.*--from=(\S+)", re.I | re.M)
_ARG = re.compile(r"^\s*ARG\s+(\w+)=(\S+)", re.I | re.M)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)[^}]*\})")


@dataclass(frozen=True)
class ServiceSource:
    """A service that is to be covered, and the folders of this machine that its code is from."""

    name: str
    folders: tuple[Path, ...]
    """The build context of its image, whichever service builds it, then all other contexts."""
    mounts: Mapping[str, Path] = field(default_factory=dict)
    """Folders and files of this machine, by where they are in the container."""
    one_shot: bool = False
    """Whether it ends before the tests begin."""
    named: tuple[Path, ...] = ()
    """Those of its folders that a setting names."""
    built_by: str | None = None
    """The service whose build makes its image; None where it is built elsewhere."""
    dockerfile: Path | None = None
    hints: frozenset[str] = frozenset()
    """Names that a folder of its own may have, where another service has the same files."""

    @property
    def own(self) -> tuple[Path, ...]:
        """The folders that hold its code and no other service's."""
        own = dict.fromkeys((*self.folders[:1], *self.named))
        return tuple(folder.resolve() for folder in own)


def sources_of(
    project: Project, named: Mapping[str, Sequence[Path]] | None = None
) -> dict[str, ServiceSource]:
    """Return the services of a project that have a spy and a container, with their sources.

    ``named`` are folders of source that the build does not tell of, by service.
    """
    named = named or {}
    found = {name: source_of(name, project, named.get(name, ())) for name in project.wanted}
    return {name: source for name, source in found.items() if source is not None}


def source_of(name: str, project: Project, named: Sequence[Path] = ()) -> ServiceSource | None:
    """Return the sources of a service of a project.

    None when it has no spy, that is when NOMOCK_SPY_OUT is not in its environment.
    """
    service = project.service(name)
    config = service.config
    spy_out = (config.get("environment") or {}).get("NOMOCK_SPY_OUT")
    if not spy_out:
        return None
    builds = _Builds(project)
    built_by = name if service.is_built else builds.builder(service.image)
    build = _build_of(project, built_by)
    folders = dict.fromkeys([*builds.folders(built_by), *named])
    return ServiceSource(
        name,
        tuple(folders),
        {
            volume["target"].rstrip("/"): Path(volume["source"])
            for volume in config.get("volumes") or []
            if volume.get("type") == "bind" and volume["target"] != spy_out
        },
        one_shot=name in project.one_shots,
        named=tuple(named),
        built_by=built_by,
        dockerfile=dockerfile_of(build) if build else None,
        hints=frozenset({name, *map(str, (build.get("args") or {}).values())}),
    )


def image_name(name: str) -> str:
    """Return an image's name with all that may be left out.

    >>> image_name("docker.io/library/shop") == image_name("shop:latest")
    True
    """
    name = name.partition("@")[0].removeprefix("index.").removeprefix("docker.io/")
    name = name.removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


class _Builds:
    """Which service of a project builds which image, and from which folders."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._builders: dict[str, str] = {}
        for name, service in project.services.items():
            if service.is_built:
                for tag in (service.image, *(_build_of(project, name).get("tags") or ())):
                    self._builders.setdefault(image_name(tag), name)

    def builder(self, image: str) -> str | None:
        """Return the service that builds an image, None where none does."""
        return self._builders.get(image_name(image))

    def folders(self, service: str | None) -> list[Path]:
        """Return the folders that the image of a service is built from.

        Those of the images that it is built on are among them, where the project builds these.
        """
        found: dict[Path, None] = {}
        waiting, seen = [service], set[str | None]()
        while waiting:
            name = waiting.pop(0)
            if name not in seen and name in self._project.services:
                seen.add(name)
                build = _build_of(self._project, name)
                found.update(dict.fromkeys(build_folders(build)))
                waiting += self._built_on(build)
        return list(found)

    def _built_on(self, build: Mapping[str, Any]) -> Iterator[str | None]:
        for context in (build.get("additional_contexts") or {}).values():
            kind, _, rest = str(context).partition(":")
            if kind == "service":
                yield rest
            elif kind == "docker-image":
                yield self.builder(rest.removeprefix("//"))
        for image in images_of(_text_of(build), build.get("args") or {}):
            yield self.builder(image)


def images_of(dockerfile: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the images that a Dockerfile's text names.

    >>> list(images_of("ARG BASE=shop\\nFROM ${BASE} AS one", {}))
    ['shop']
    """
    values = {**dict(_ARG.findall(dockerfile)), **arguments}
    for names in _FROM.findall(dockerfile):
        yield _VARIABLE.sub(lambda found: str(values.get(found[1] or found[2], "")), "".join(names))


def _build_of(project: Project, service: str | None) -> Mapping[str, Any]:
    found = project.services[service].config.get("build") if service else None
    return found or {}


def _text_of(build: Mapping[str, Any]) -> str:
    if inline := build.get("dockerfile_inline"):
        return str(inline)
    try:
        return dockerfile_of(build).read_text(encoding="utf-8", errors="replace")
    except OSError:  # its context is an address
        return ""
