"""What the checks look at: the project, its containers and its images, each asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nomock.adapters.compose_config import version as compose_version
from nomock.adapters.engine import Engine, ImageConfig
from nomock.config import Settings
from nomock.coverage.overlay import Finding, survey
from nomock.project import Project, ServiceConfig, place
from nomock.target import Container

EDGES_LABEL = "nomock.edges"
"""What `nomock edges --init` gives to the services that it adds."""


@dataclass(frozen=True)
class Seen:
    """A project as the checks see it; raises EngineMissingError where no engine answers."""

    settings: Settings
    project: Project
    engine: Engine

    @cached_property
    def containers(self) -> Sequence[Container]:
        """The containers of its stack, stopped ones too."""
        return self.engine.containers(self.project.name)

    @cached_property
    def images(self) -> dict[str, ImageConfig | None]:
        """Service -> its image; None where it is not here."""
        services = self.project.services.items()
        return {name: self.engine.image_config(service.image) for name, service in services}

    @cached_property
    def compose_version(self) -> str:
        """The version of compose."""
        return compose_version(self.project.call)

    @cached_property
    def wanted(self) -> Sequence[str]:
        """The services of the project, without the equipment that nomock wrote for it."""
        services = self.project.services
        return [n for n in self.project.wanted if not _is_equipment(services[n])]

    @cached_property
    def pythons(self) -> Sequence[Finding]:
        """What each service runs, as far as its image is here."""
        here = [name for name in self.wanted if self.images[name]]
        return survey(self.project, self.engine, here)

    def running(self, service: str) -> Container | None:
        """Return a running container of a service; None where it has none."""
        found = (c for c in self.containers if c.service == service and c.state == "running")
        return next(found, None)

    def place(self, service: ServiceConfig, what: str) -> str:
        """Return where something of a service stands: file and line, else the service's name."""
        found = place(self.project, service.name, what) or place(
            self.project, service.name, service.name
        )
        return found.removesuffix(": ") or f"service {service.name}"


def _is_equipment(service: ServiceConfig) -> bool:
    return EDGES_LABEL in (service.config.get("labels") or {})
