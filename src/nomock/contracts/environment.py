"""The environment of each service of a compose file, before anything starts."""

from __future__ import annotations

from nomock.contracts.finding import Finding
from nomock.contracts.hosts import hosts_of, is_alone, other_hosts
from nomock.contracts.image_files import image_files
from nomock.contracts.reading import Reading
from nomock.contracts.values import Surroundings, Words
from nomock.contracts.variables import findings_of
from nomock.project import Project, ServiceConfig, place

_WORDS = Words(
    put_in="write the value, or let compose put it in: one $, in a compose file or .env",
    reference="write ${{{}}}",
    same="write the same for both, as ${{{}}}",
    no_service="there is no such service",
)


def environment_findings(project: Project) -> tuple[list[Finding], int]:
    """Return what of a project's variables does not fit, and how many were looked at.

    Nothing is started, and no engine is asked.
    """

    def around(one: Reading, variables: set[str]) -> Surroundings:
        service = one.service
        others, alone = other_hosts(service), is_alone(project, service)
        return Surroundings(hosts_of(project, service), others, alone, variables, _WORDS)

    readings = [_reading(project, service) for service in project.services.values()]
    return findings_of(readings, around)


def _reading(project: Project, service: ServiceConfig) -> Reading:
    told = {name: str(value) for name, value in service.environment.items() if value is not None}
    image = image_files(project, service)
    places = {name: _place(project, service, name) for name in told}
    return Reading(service, image, told, places)


def _place(project: Project, service: ServiceConfig, name: str) -> str:
    found = place(project, service.name, name) or place(project, "", name)
    return found.removesuffix(": ") or f"environment of {service.name}"
