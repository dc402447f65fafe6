"""What a request to a service may run through: what a test shares when it uses that service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from nomock.adapters.toxiproxy.endpoints import CONTROL_PORT
from nomock.project import Project

ARROW = "->"


def proxies(project: Project) -> list[str]:
    """Return the services that are Toxiproxy: those that publish its control port."""
    return publishing(project, CONTROL_PORT)


def publishing(project: Project, port: int) -> list[str]:
    """Return the services that publish a port."""
    return [name for name, s in project.services.items() if port in s.published_ports]


def topology_of(project: Project, edges: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return service -> the services and edges that its requests may run through, itself too.

    ``edges``: name -> the host that it leads to, which may be one that stands before its service.

    From the edges' names, and where a service has none from its ``depends_on``. A service that
    nobody calls and that publishes nothing, such as a worker, works for those with whom it shares
    a store, so it belongs to what these reach.
    """
    next_: dict[str, dict[str, str]] = defaultdict(dict)  # service -> service -> the edge's name
    for edge in edges:
        source, _, target = edge.partition(ARROW)
        next_[source][target] = edge
    for name, service in project.services.items():
        if name not in next_:
            next_[name] = dict.fromkeys(service.config.get("depends_on") or (), "")
    called = {target for targets in next_.values() for target in targets}
    background = [
        name
        for name, service in project.services.items()
        if name not in called | project.one_shots and not service.published_ports
    ]
    reached = {name: frozenset(_walk(name, next_, edges)) for name in project.services}
    for name, parts in reached.items():
        for other in background:
            if reached[other] & parts & project.services.keys():
                reached[name] = reached[name] | reached[other]
    return reached


def _walk(
    start: str, next_: Mapping[str, Mapping[str, str]], edges: Mapping[str, str]
) -> Iterator[str]:
    seen, todo = {start}, [start]
    while todo:
        service = todo.pop()
        yield service
        for target, edge in next_.get(service, {}).items():
            if edge:
                yield edge
                yield edges[edge]
            if target not in seen:
                seen.add(target)
                todo.append(target)
