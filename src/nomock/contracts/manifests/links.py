"""The variables that Kubernetes sets by itself in each container, for each Service.

A Service ``redis`` is the variable ``REDIS_PORT=tcp://10.0.0.1:6379``, whether anybody wants it or
not.
https://kubernetes.io/docs/concepts/containers/container-environment/#cluster-information
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nomock.contracts.finding import Finding
from nomock.contracts.manifests.containers import Container
from nomock.contracts.manifests.documents import Document, items, mapping
from nomock.contracts.manifests.objects import Objects, is_same_namespace, service_documents
from nomock.contracts.reading import Reading

_ADDRESS = "192.0.2.1"  # of documentation: the real one is known in the cluster alone


def links_of(caller: Container, objects: Objects) -> dict[str, tuple[str, Document]]:
    """Return the variables that Kubernetes sets for each Service: -> value, and the Service."""
    if mapping(caller.pod, "spec").get("enableServiceLinks") is False:
        return {}
    found: dict[str, tuple[str, Document]] = {}
    for document in service_documents(objects):
        is_near = is_same_namespace(document.namespace, caller.document.namespace)
        if is_near and mapping(document.content, "spec").get("clusterIP") != "None":
            found |= {name: (value, document) for name, value in _of(document)}
    return found


def misread(one: Reading, links: Mapping[str, tuple[str, Document]]) -> Iterator[Finding]:
    """Yield the variables of Services that the code takes for its own, of another kind."""
    for name, (value, document) in links.items():
        reads = [] if name in one.settings else one.reads_of(name)
        for read in [read for read in reads if not read.is_pattern][:1]:
            if trouble := read.kind.trouble(value):
                yield Finding(
                    one.service.name,
                    name,
                    f"{name} is set by Kubernetes for the Service {document.name}, and that will"
                    f" not do: {trouble}",
                    document.place("metadata", "name"),
                    read.place,
                    "set it yourself, or enableServiceLinks: false of the pod",
                    read.is_at_start,
                )


def _of(document: Document) -> Iterator[tuple[str, str]]:
    ports = items(mapping(document.content, "spec"), "ports")
    numbers = [port["port"] for _, port in ports if isinstance(port.get("port"), int)]
    name = document.name.upper().replace("-", "_")
    for number in numbers[:1]:
        yield f"{name}_SERVICE_HOST", _ADDRESS
        yield f"{name}_SERVICE_PORT", str(number)
        yield f"{name}_PORT", f"tcp://{_ADDRESS}:{number}"
    for number in numbers:
        one = f"{name}_PORT_{number}_TCP"
        yield one, f"tcp://{_ADDRESS}:{number}"
        yield f"{one}_PROTO", "tcp"
        yield f"{one}_PORT", str(number)
        yield f"{one}_ADDR", _ADDRESS
