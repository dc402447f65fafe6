"""What the last start-up made of what: the images of each context, the containers of each config.

Compose knows whether a container fits its configuration, but not whether an image fits its
build context, and asking it takes a second. These records answer both from the engine's one reply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from nomock.project import Project, ServiceConfig, Sources, Store, what_changed
from nomock.target import Container

CONFIGURATION_CHANGED = "configuration changed"
IMAGE_CHANGED = "image changed"


class Records:
    """The records of one project; lost ones only cost a rebuild from the cache."""

    def __init__(self, state_dir: Path, project: str) -> None:
        self._state_dir = state_dir
        self._project = project
        self._store = Store(state_dir, f"stack-{project}")
        self._known = {"images": {}, "containers": {}, **self._store.read()}

    def changes(self, project: Project, containers: Sequence[Container]) -> dict[str, str]:
        """Return the services whose containers are not of what they should be, with the reason.

        One that is scaled to 0 has changed if it still has a container of a start-up of ours; what
        its owner started by hand is left alone.
        """
        changes = {}
        for name, service in project.services.items():
            found = [c for c in containers if c.service == name]
            if service.replicas == 0:
                if any(c.id in self._known["containers"] for c in found):
                    changes[name] = "scaled to 0"
            elif len(found) < service.replicas:
                missing = f"{len(found)} of {service.replicas} containers"
                changes[name] = missing if found else "not running"
            elif reason := self._change(service, found, project):
                changes[name] = reason
        return changes

    def _change(
        self, service: ServiceConfig, found: Iterable[Container], project: Project
    ) -> str | None:
        image = self._known["images"].get(service.name)
        if service.is_built and (reason := self._why_built(service, project)):
            return reason
        for container in found:
            if image and container.image_id != image["id"] and service.is_built:
                return IMAGE_CHANGED
            known = self._known["containers"].get(container.id)
            if known is None:
                return "not started by nomock"
            if known["config"] != service.config_digest:
                return CONFIGURATION_CHANGED
        return None

    def _why_built(self, service: ServiceConfig, project: Project, *under: str) -> str:
        """Return why an image is to be built; of what the project does not build nothing is asked.

        ``under`` are the services for which this one was looked at.
        """
        image = self._known["images"].get(service.name)
        if not image or image["context"] != service.sources.digest:
            return what_changed(self._parts(service).read(), service.sources.parts(project.root))
        for name in project.builds.bases(service.name):
            if name not in under:
                base = project.services[name]
                is_new = image.get("upon", {}).get(name) != self.image_id(base)
                if is_new or self._why_built(base, project, service.name, *under):
                    return f"the image of {name} changed, which its own is built upon"
        return ""

    def image_id(self, service: ServiceConfig) -> str | None:
        """Return the id of the image that was built last for a service, None if none was."""
        known = self._known["images"].get(service.name)
        return known["id"] if known else None

    def image_is_current(
        self, service: ServiceConfig, sources: Sources, image_id: str | None
    ) -> bool:
        """Tell whether a local image was built of what there is to build the service of."""
        known = self._known["images"].get(service.name)
        now = {"id": image_id, "context": sources.digest}
        return bool(known and image_id) and known.items() >= now.items()

    def new_bases(
        self, service: ServiceConfig, project: Project, id_of: Callable[[str], str | None]
    ) -> list[str]:
        """Return the images that are others than those on which an image was built, by name.

        ``id_of`` says which image has a name here. One that was not here then, or is not now, tells
        nothing: the builder may keep it for itself.
        """
        known = self._known["images"].get(service.name) or {}
        others = {image: id_ for image, id_ in known.get("others", {}).items() if id_}
        new = [image for image, id_ in others.items() if id_of(image) not in {None, id_}]
        upon = known.get("upon", {})
        bases = [project.services[name] for name in project.builds.bases(service.name)]
        return new + [b.image for b in bases if upon.get(b.name) != id_of(b.image)]

    def all_new_bases(self, project: Project, id_of: Callable[[str], str | None]) -> dict[str, str]:
        """Return the services that have some, with the first one as the reason."""
        found = {}
        for name in project.to_build:
            if new := self.new_bases(project.services[name], project, id_of):
                found[name] = f"there is a new {new[0]}, which its image is built upon"
        return found

    def built(
        self,
        service: ServiceConfig,
        project: Project,
        id_of: Callable[[str], str | None],
        digest: str | None,
        parts: Mapping[str, str],
    ) -> None:
        """Record of what an image was built: all of it, None where that is not sure, and each part.

        The parts only tell later what changed. ``id_of`` says which image has a name here.
        """
        bases = (project.services[name] for name in project.builds.bases(service.name))
        self._known["images"][service.name] = {
            "id": id_of(service.image),
            "context": digest,
            "upon": {base.name: id_of(base.image) for base in bases},
            "others": {image: id_of(image) for image in project.builds.others(service.name)},
        }
        self._parts(service).write(dict(parts))
        self._store.write(self._known)

    @property
    def superseded(self) -> set[str]:
        """The ids of images that were kept though others were built in their place."""
        return set(self._known.get("superseded", ()))

    def supersede(self, kept: Iterable[str]) -> None:
        """Record which of them are kept still."""
        if set(kept) != self.superseded:
            self._known["superseded"] = sorted(kept)
            self._store.write(self._known)

    def _parts(self, service: ServiceConfig) -> Store:
        return Store(self._state_dir, f"built-{self._project}-{service.name}")

    def started(self, project: Project, containers: Sequence[Container]) -> None:
        """Record which containers were started of which configuration."""
        self._known["containers"] = {
            c.id: {"config": project.services[c.service].config_digest}
            for c in containers
            if c.service in project.services
        }
        self._store.write(self._known)
