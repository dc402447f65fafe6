"""The services that are to be covered, and the folders of this machine that their code is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.project import Project, build_folders
from nomock.project.build_context import dockerfile_of


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
    """The folders of its source that a setting names."""
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
    built_by = name if service.is_built else project.builds.builder(service.image)
    build = _build_of(project, built_by)
    folders = dict.fromkeys([*_folders(project, built_by), *named])
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


def _folders(project: Project, service: str | None) -> list[Path]:
    """Return the folders that the image of a service is built from.

    Those of the images that it is built on are among them, where the project builds these.
    """
    found: dict[Path, None] = {}
    waiting, seen = [service], set[str | None]()
    while waiting:
        name = waiting.pop(0)
        if name is not None and name not in seen:
            seen.add(name)
            found.update(dict.fromkeys(build_folders(_build_of(project, name))))
            waiting += project.builds.bases(name)
    return list(found)


def _build_of(project: Project, service: str | None) -> Mapping[str, Any]:
    found = project.services[service].config.get("build") if service else None
    return found or {}
