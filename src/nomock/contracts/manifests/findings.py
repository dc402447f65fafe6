"""What of rendered manifests does not fit: each container's variables, before it starts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nomock.contracts.dockerfile import read_dockerfile
from nomock.contracts.finding import Finding
from nomock.contracts.image_files import ImageFiles, image_files
from nomock.contracts.manifests.containers import Container, containers_of
from nomock.contracts.manifests.documents import Document, mapping
from nomock.contracts.manifests.hosts import (
    hosts_of,
    names_of_services,
    other_hosts,
    services_of,
)
from nomock.contracts.manifests.links import links_of, misread
from nomock.contracts.manifests.objects import Objects, faults_in
from nomock.contracts.manifests.sources import service_of
from nomock.contracts.manifests.told import Telling, Told
from nomock.contracts.reading import Reading
from nomock.contracts.values import Surroundings, Words
from nomock.contracts.variables import findings_of, once
from nomock.project import Project, ServiceConfig

_WORDS = Words(
    put_in="write the value, or put it in before the objects are applied",
    reference="write $({})",
    same="take both from one key of a Secret, as {}",
    no_service="there is no such Service here",
)
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_NO_FILES = ImageFiles(read_dockerfile(""), "")


@dataclass(frozen=True, kw_only=True)
class _Reading(Reading):
    """A container, what its files read, and what it is told."""

    container: Container
    told: Told
    links: Mapping[str, tuple[str, Document]]

    def origin(self, name: str) -> Hashable:
        """Return the variable with its value: a template has written it for several."""
        return name, self.settings[name]


def manifest_findings(project: Project, documents: Sequence[Document]) -> tuple[list[Finding], int]:
    """Return what does not fit, and how many variables were looked at.

    What a container reads is known where it is a service of the compose project; of others only
    what needs no source is told. No cluster is asked.
    """
    objects = Objects(documents)
    readings = [*_readings(project, objects)]
    services = services_of(objects, [(one.container, one.told) for one in readings])
    names = names_of_services(objects)

    def around(one: _Reading, variables: set[str]) -> Surroundings:
        caller = one.container
        return Surroundings(
            hosts_of(caller, services),
            other_hosts(caller),
            caller.document.namespace in objects.namespaces,
            variables,
            _WORDS,
            names,
            shares_localhost=not caller.is_only,
        )

    found, looked_at = findings_of(readings, around)
    for one in readings:
        found += [*one.told.findings, *misread(one, one.links)]
    for kind in ("ConfigMap", "Secret"):
        for document in objects.of_kind(kind):
            found += faults_in(document)
    return once(found), looked_at


def _readings(project: Project, objects: Objects) -> Iterator[_Reading]:
    files: dict[str, ImageFiles] = {}
    for container in containers_of(objects):
        links = links_of(container, objects)
        told = Telling(container, objects, {n: value for n, (value, _) in links.items()}).told()
        service = service_of(container, project)
        if service and service.name not in files:
            files[service.name] = image_files(project, service)
        yield _Reading(
            _as_service(container, service, project, told),
            files[service.name] if service else _NO_FILES,
            told.values,
            told.places,
            set_in="env or envFrom",
            is_whole=told.is_whole,
            given=frozenset(links),
            secrets=told.secrets,
            used=frozenset(told.used),
            container=container,
            told=told,
            links=links,
        )


def _as_service(
    container: Container, service: ServiceConfig | None, project: Project, told: Told
) -> ServiceConfig:
    """Return a container as a service of a compose file, which is what finds its start.

    https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
    """
    own: dict[str, Any] = {"image": container.image, "environment": told.values}
    if service and service.is_built:
        own["build"] = service.config["build"]
    for key, word in (("entrypoint", "command"), ("command", "args")):
        if isinstance(words := container.spec.get(word), list):
            own[key] = words
    probes = (mapping(container.spec, probe, "exec").get("command") for probe in _PROBES)
    own["healthcheck"] = {
        "test": [word for words in probes if isinstance(words, list) for word in words]
    }
    if service:
        return replace(service, name=container.shown, config=own)
    return ServiceConfig(container.shown, own, project.name)
