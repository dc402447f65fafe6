"""Which service of the compose file a container is, so that its sources are known."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.contracts.known import known_image
from nomock.contracts.manifests.containers import Container
from nomock.project import Project, ServiceConfig

_PROMOTED = "nomock/service"  # as `nomock promote` writes it
# Of a promotion, of kompose, and those that Kubernetes recommends.
_LABELS = (_PROMOTED, "io.kompose.service", "app.kubernetes.io/component", "app.kubernetes.io/name")
_LABELS_OF_OLD = ("app", "component", "name")


def service_of(container: Container, project: Project) -> ServiceConfig | None:
    """Return the service whose image a container has; None where none can be told.

    An image that two services have tells which by the container's names.
    """
    same = [s for s in project.services.values() if _base(s.image) == _base(container.image)]
    if len(same) == 1:
        return same[0]
    for name in _names(container):
        found = project.services.get(name)
        if found and (found in same or (not same and _may_be(found, container))):
            return found
    return None


def _may_be(service: ServiceConfig, container: Container) -> bool:
    """Tell whether a container may have a service's image under another name."""
    return service.is_built and known_image(container.image) is None


def _names(container: Container) -> Iterator[str]:
    """Yield what a container is called; names of its pod only where it is the one meant."""
    yield container.name
    if container.is_only and not container.runs_before:
        for label in (*_LABELS, *_LABELS_OF_OLD):
            yield str(container.labels.get(label) or "")
        yield container.document.name


def _base(image: str) -> str:
    """Return the last part of an image's name, without tag and digest.

    >>> _base("registry.example:5000/shop/api:1.2@sha256:0"), _base("api")
    ('api', 'api')
    """
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
