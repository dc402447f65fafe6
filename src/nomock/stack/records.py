"""What the last start-up made of what: the images of each context, the containers of each config.

Compose knows whether a container fits its configuration, but not whether an image fits its
build context, and asking it takes a second. These records answer both from the engine's one reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nomock.adapters.engine import Container
from nomock.project import Project, ServiceConfig, Store


class Records:
    """The records of one project; lost ones only cost a rebuild from the cache."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = {"images": {}, "containers": {}, **store.read()}

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
            elif reason := self._change(service, found):
                changes[name] = reason
        return changes

    def _change(self, service: ServiceConfig, found: Iterable[Container]) -> str | None:
        image = self._known["images"].get(service.name)
        if service.is_built and (not image or image["context"] != service.context_digest):
            return "build context changed"
        for container in found:
            if image and container.image_id != image["id"] and service.is_built:
                return "image changed"
            known = self._known["containers"].get(container.id)
            if known is None:
                return "not started by nomock"
            if known["config"] != service.config_digest:
                return "configuration changed"
        return None

    def image_id(self, service: ServiceConfig) -> str | None:
        """Return the id of the image that was built last for a service, None if none was."""
        known = self._known["images"].get(service.name)
        return known["id"] if known else None

    def image_is_current(self, service: ServiceConfig, image_id: str | None) -> bool:
        """Tell whether a local image was built of the service's context as it is now."""
        known = self._known["images"].get(service.name)
        return bool(known and image_id) and known == {
            "id": image_id,
            "context": service.context_digest,
        }

    def built(self, service: ServiceConfig, image_id: str | None) -> None:
        """Record that an image was built of the service's context."""
        self._known["images"][service.name] = {"id": image_id, "context": service.context_digest}
        self._store.write(self._known)

    def started(self, project: Project, containers: Sequence[Container]) -> None:
        """Record which containers were started of which configuration."""
        self._known["containers"] = {
            c.id: {"config": project.services[c.service].config_digest}
            for c in containers
            if c.service in project.services
        }
        self._store.write(self._known)
