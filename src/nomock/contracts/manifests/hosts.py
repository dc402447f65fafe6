"""By which names, and at which ports, a container reaches the Services of Kubernetes.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nomock.contracts.fault import Fault
from nomock.contracts.host import Host
from nomock.contracts.known import KnownImage, known_image
from nomock.contracts.manifests.containers import Container
from nomock.contracts.manifests.documents import Document, items, mapping
from nomock.contracts.manifests.objects import (
    Objects,
    is_same_namespace,
    service_documents,
    text_of,
)
from nomock.contracts.manifests.told import Told

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_DOMAINS = ("svc", "svc.cluster.local")
_LABEL = r"[A-Za-z][\w-]*"


@dataclass(frozen=True)
class ServiceHost(Host):
    """A Service as a container knows it."""

    document: Document
    backend: Container | None
    """The container that answers, as far as it is known."""
    told: Told
    """What that one is told."""
    is_far: bool = False
    """Whether it is another namespace's, and was named as if it were not."""

    @property
    def name(self) -> str:
        """Its own name."""
        return self.document.name

    @property
    def known(self) -> KnownImage | None:
        """What is known of the image of the container that answers."""
        return known_image(self.backend.image) if self.backend else None

    @property
    def environment(self) -> Mapping[str, str | None]:
        """What the container that answers is told."""
        return self.told.values

    @property
    def has_scripts(self) -> bool:
        """Whether some are mounted where an image of a database looks for them."""
        mounts = items(self.backend.spec, "volumeMounts") if self.backend else []
        return any("initdb" in str(mount.get("mountPath")) for _, mount in mounts)

    def hides(self, variable: str) -> bool:
        """Tell whether a variable of the container that answers is a Secret's."""
        return variable in self.told.secrets

    def unreached(self, named: str) -> Fault | None:
        """Return that it is in another namespace; None where it is not."""
        namespace = self.document.namespace
        if not self.is_far:
            return None
        what = f"names the host {named}, and that is a Service of the namespace {namespace}"
        return Fault(what, f"write {named}.{namespace}", quoted=(named,))

    def wrong_port(self, named: str, port: int | None, scheme: str) -> Fault | None:
        """Return that the Service has no such port: it is the container's own, or a node's."""
        if self._ports is None:
            return None
        there = ", ".join(map(str, sorted(self._ports))) or "none"
        if port is None:
            usual = _PORTS.get(scheme) or self._usual(scheme)
            if usual is None or usual in self._ports:
                return None
            what = f"names no port of {named}, and its Service has no {usual}"
            return Fault(what, f"the Service has {there}", is_certain=False, quoted=(named,))
        if port in self._ports:
            return None
        if port in self._inside:
            of_whom = "which is that of its container, and not of its Service"
        elif port in self._numbers("nodePort"):
            of_whom = "which is that of the nodes"
        else:
            of_whom = "which its Service does not have"
        what = f"names port {port} of {named}, {of_whom}"
        return Fault(what, f"the Service has {there}", quoted=(str(port), named))

    def _usual(self, scheme: str) -> int | None:
        """Return the port that clients take where a URL has none; None where it is not known."""
        return self.known.port if self.known and scheme in self.known.schemes else None

    @cached_property
    def _ports(self) -> frozenset[int] | None:
        """The ports of the Service; None where it has no address of its own, and so any port."""
        spec = mapping(self.document.content, "spec")
        if spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName":
            return None
        return self._numbers("port")

    @property
    def _inside(self) -> frozenset[int]:
        own = self.backend.spec if self.backend else {}
        return self._numbers("targetPort") | _numbers(own, "containerPort")

    def _numbers(self, key: str) -> frozenset[int]:
        return _numbers(mapping(self.document.content, "spec"), key)


def _numbers(spec: Mapping[str, Any], key: str) -> frozenset[int]:
    numbers = (port.get(key) for _, port in items(spec, "ports"))
    return frozenset(number for number in numbers if isinstance(number, int))


def services_of(
    objects: Objects, containers: Sequence[tuple[Container, Told]]
) -> list[ServiceHost]:
    """Return all Services, each with the container that answers.

    The containers come with what each of them is told.
    """
    found = []
    for document in service_documents(objects):
        behind = _behind(document, containers)
        container, told = behind[0] if behind else (None, Told())
        found.append(ServiceHost(document, container, told))
    return found


def hosts_of(caller: Container, services: Iterable[ServiceHost]) -> dict[str, Host]:
    """Return the names by which a container may mean Services."""
    found: dict[str, Host] = {}
    for service in services:
        namespace = service.document.namespace
        is_near = is_same_namespace(namespace, caller.document.namespace)
        if is_near:
            found[service.name] = service
        elif service.name not in found:
            found[service.name] = replace(service, is_far=True)
        if namespace:
            full = f"{service.name}.{namespace}"
            found |= dict.fromkeys((full, *(f"{full}.{domain}" for domain in _DOMAINS)), service)
    return found


def names_of_services(objects: Objects) -> re.Pattern[str]:
    """Return what a host looks like that is a Service, or nothing."""
    namespaces = {d.namespace for d in objects.all if d.namespace} | objects.namespaces
    known = "|".join(map(re.escape, sorted(namespaces)))
    domains = "|".join(map(re.escape, _DOMAINS))
    return re.compile(rf"{_LABEL}(\.({known})(\.({domains}))?)?" if known else _LABEL)


def other_hosts(caller: Container) -> set[str]:
    """Return the names beside those of Services: of ``hostAliases``, and the cluster's own."""
    found = {"kubernetes"}
    for _, alias in items(mapping(caller.pod, "spec"), "hostAliases"):
        names = alias.get("hostnames")
        found |= {str(name) for name in (names if isinstance(names, list) else [])}
    return found


def _behind(
    document: Document, containers: Sequence[tuple[Container, Told]]
) -> list[tuple[Container, Told]]:
    """Return the containers of the pods that a Service selects, those with its port first."""
    spec = mapping(document.content, "spec")
    selector = mapping(spec, "selector")
    chosen = [
        pair
        for pair in containers
        if selector
        and not pair[0].runs_before
        and is_same_namespace(pair[0].document.namespace, document.namespace)
        and all(pair[0].labels.get(label) == value for label, value in selector.items())
    ]
    targets = {text_of(p.get("targetPort", p.get("port"))) for _, p in items(spec, "ports")}
    return sorted(chosen, key=lambda pair: not targets & _ports_of(pair[0]))


def _ports_of(container: Container) -> set[str]:
    ports = items(container.spec, "ports")
    return {text_of(p[key]) for _, p in ports for key in ("containerPort", "name") if p.get(key)}
