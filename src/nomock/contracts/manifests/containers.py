"""The containers that objects of Kubernetes start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nomock.contracts.manifests.documents import Document, items, mapping
from nomock.contracts.manifests.objects import Objects

# https://kubernetes.io/docs/concepts/workloads/: where the pod stands in each.
_OF_TEMPLATE = ("spec", "template")
_PODS: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": _OF_TEMPLATE,
    "StatefulSet": _OF_TEMPLATE,
    "DaemonSet": _OF_TEMPLATE,
    "ReplicaSet": _OF_TEMPLATE,
    "ReplicationController": _OF_TEMPLATE,
    "Job": _OF_TEMPLATE,
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Rollout": _OF_TEMPLATE,  # Argo's
}
_SECTIONS = ("initContainers", "containers")


@dataclass(frozen=True)
class Container:
    """A container, and whose it is."""

    document: Document
    path: tuple[str | int, ...]
    """Where it stands in its object."""
    spec: Mapping[str, Any]
    pod: Mapping[str, Any]
    """Its pod: metadata and spec."""
    is_only: bool
    """Whether its pod has no other one but those that run before it."""
    is_one_of_many: bool = False
    """Whether there are several namespaces, which have to be told apart."""

    @property
    def name(self) -> str:
        """Its own name."""
        return str(self.spec.get("name") or "")

    @property
    def shown(self) -> str:
        """Its name for people: ``Deployment/api``, and which of several it is."""
        owner = f"{self.document.kind}/{self.document.name}"
        if self.is_one_of_many and self.document.namespace:
            owner += f" in {self.document.namespace}"
        is_first = self.is_only and not self.runs_before
        return owner if is_first else f"{owner} ({self.name})"

    @property
    def runs_before(self) -> bool:
        """Whether it runs before the others of its pod."""
        return self.path[-2] == _SECTIONS[0]

    @property
    def image(self) -> str:
        """The image's name."""
        return str(self.spec.get("image") or "")

    @property
    def labels(self) -> Mapping[str, Any]:
        """The labels of its pod."""
        return mapping(self.pod, "metadata", "labels")

    def place(self, *path: str | int) -> str:
        """Return file and line of what a path in it leads to."""
        return self.document.place(*self.path, *path)


def containers_of(objects: Objects) -> list[Container]:
    """Return all containers, those that run before others among them."""
    several = len({document.namespace for document in objects.all} - {""}) > 1
    return [container for document in objects.all for container in _of(document, several)]


def _of(document: Document, several: bool) -> Iterator[Container]:
    path = _PODS.get(document.kind)
    if path is None:
        return
    pod = mapping(document.content, *path)
    spec = mapping(pod, "spec")
    is_only = len(items(spec, "containers")) == 1
    for section in _SECTIONS:
        for number, found in items(spec, section):
            inside: tuple[str | int, ...] = (*path, "spec", section, number)
            yield Container(document, inside, found, pod, is_only, several)
