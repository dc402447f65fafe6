"""A compose project as it should be: its services, each with a digest of all it is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nomock.adapters.compose_call import Call
from nomock.errors import UnknownServiceError
from nomock.project import intention
from nomock.project.bases import Builds
from nomock.project.build_context import Build, Sources
from nomock.project.left_out import ONLY_NAMES, LeftOut
from nomock.project.written import Written


@dataclass(frozen=True)
class ServiceConfig:
    """One service of the resolved compose configuration."""

    name: str
    config: Mapping[str, Any]
    project: str
    mounted_files: tuple[Path, ...] = ()
    """The single files of this machine that it mounts: a server reads these when it starts."""
    left_out: LeftOut = ONLY_NAMES
    """What of nomock's own may lie in its build contexts."""
    state_dir: Path | None = None
    """Where to keep what was read of its build contexts; None: nothing is kept."""
    stores: tuple[str, ...] = ()
    """The folders of this machine in which services of the project store something."""

    @property
    def has_healthcheck(self) -> bool:
        """Whether the compose file gives it a healthcheck that is not switched off."""
        return intention.has_healthcheck(self.config)

    @property
    def lacks_start_period(self) -> bool:
        """Whether its own healthcheck counts failures from the first moment on."""
        return self.has_healthcheck and not self.config["healthcheck"].get("start_period")

    @property
    def replicas(self) -> int:
        """How many containers it is to have; 0 where it is switched off."""
        return intention.replicas(self.config)

    @property
    def may_end(self) -> bool:
        """Whether the compose file says that it is not started again after a good end."""
        return intention.may_end(self.config)

    @property
    def network_owner(self) -> str | None:
        """The service whose network it shares and whose ports are its ports; None without one."""
        return intention.network_owner(self.config)

    @property
    def published_ports(self) -> list[int]:
        """The ports in the container that can be reached from outside, in the file's order."""
        return intention.tcp_ports(self.config)

    @property
    def exposed_ports(self) -> list[int]:
        """The TCP ports that the file names for other services only, in its order."""
        return intention.exposed_ports(self.config)

    def publishes(self, port: int, protocol: str = "tcp") -> bool:
        """Tell whether a port in the container can be reached from outside."""
        return intention.publishes(self.config, port, protocol)

    @property
    def environment(self) -> Mapping[str, str | None]:
        """The container's environment as the compose file sets it."""
        return self.config.get("environment") or {}

    @property
    def image(self) -> str:
        """The image's name, compose's own default for one that is built."""
        return str(self.config.get("image") or f"{self.project}-{self.name}")

    @property
    def is_built(self) -> bool:
        """Whether the image is built from a context."""
        return "build" in self.config

    @cached_property
    def config_digest(self) -> str:
        """A digest of the resolved configuration."""
        return _digest(json.dumps(self.config, sort_keys=True).encode())

    @property
    def build(self) -> Build:
        """What the image is built from, for a service whose image is built."""
        own = tuple(source for source, _ in intention.written(self.config))
        written = Written(self.stores, own)
        return Build(self.config["build"], self.left_out, self.state_dir, written)

    @cached_property
    def sources(self) -> Sources:
        """What was there to build of when this was asked first; ``build.look()`` looks again."""
        return self.build.look()


@dataclass(frozen=True)
class Project:
    """A compose project: its name, files and enabled services."""

    name: str
    files: tuple[Path, ...]
    services: Mapping[str, ServiceConfig]
    one_shots: frozenset[str]
    """Services that run to their end: jobs, and those that another one waits for by
    ``service_completed_successfully``."""
    call: Call = field(default_factory=lambda: Call(Path()))
    """How compose is called for this project."""
    read: tuple[Path, ...] = ()
    """The files that compose read, as far as they are there; some more may be among them."""
    stamp: object = None
    """What these files looked like when they were read, without their contents."""
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The whole resolved configuration."""
    warnings: tuple[str, ...] = ()
    """What compose warned of when it resolved the files."""
    root: Path = Path()
    """The project's folder."""

    @property
    def secrets(self) -> Mapping[str, Any]:
        """The secrets that the file defines: builds use them, too."""
        return self.config.get("secrets") or {}

    @property
    def external_volumes(self) -> frozenset[str]:
        """Volumes by their names in the compose file that are not the project's own."""
        volumes = (self.config.get("volumes") or {}).items()
        return frozenset(name for name, how in volumes if (how or {}).get("external"))

    @cached_property
    def builds(self) -> Builds:
        """Which services build which images, and upon which."""
        built = {name: service for name, service in self.services.items() if service.is_built}
        return Builds(
            {name: service.image for name, service in built.items()},
            {name: service.config["build"] or {} for name, service in built.items()},
        )

    @cached_property
    def to_build(self) -> list[str]:
        """The services whose images are to be there, each behind those that it is built upon."""
        found: dict[str, None] = {}

        def add(name: str, under: tuple[str, ...]) -> None:
            for base in self.builds.bases(name):
                if base not in under:  # a circle is for the builder to refuse
                    add(base, (*under, name))
            found[name] = None

        for name in self.wanted:
            if self.services[name].is_built:
                add(name, (name,))
        return list(found)

    @cached_property
    def waited_for_health(self) -> frozenset[str]:
        """Services that another one waits for by ``service_healthy``: they are to stay."""
        return waited_for(self.services, "service_healthy")

    @cached_property
    def writable_files(self) -> frozenset[Path]:
        """The single files of this machine that a service mounts so that it can write to them."""
        return frozenset(p for s in self.services.values() for p in intention.writable(s.config))

    @property
    def unset(self) -> list[str]:
        """Compose's warnings of variables that are not set: why a service may not start."""
        return [f"compose warned: {w}" for w in self.warnings if "variable is not set" in w]

    @property
    def is_as_read(self) -> bool:
        """Whether no file has been written since: what compose does now, it does of the same."""
        return self.stamp is None or self.stamp == stamp_of(self.read)

    @property
    def kept_data(self) -> list[str]:
        """What is not emptied with the stack's volumes: what else its services may write to."""
        found = []
        for name, service in self.services.items():
            bound = [p for p in intention.writable(service.config) if not p.is_socket()]
            used = {v.get("source") for v in service.config.get("volumes") or []}
            sources = [*(_shown(p, self.call.folder) for p in bound), *used & self.external_volumes]
            found += [f"{source} ({name})" for source in sources]
        return sorted(set(found))

    @property
    def wanted(self) -> list[str]:
        """The names of the services that are to have a container: all but those scaled to 0."""
        return [name for name, service in self.services.items() if service.replicas > 0]

    @property
    def grace_s(self) -> float:
        """For how long all services together may go on when they are to stop, one by one."""
        return sum(intention.grace_s(service.config) for service in self.services.values())

    def publisher(self, name: str) -> ServiceConfig:
        """Return the service that publishes a service's ports: another, if it is in its network."""
        service = self.services[name]
        for _ in self.services:
            service = self.services.get(service.network_owner or "", service)
        return service

    def service(self, name: str) -> ServiceConfig:
        """Return a service; raise UnknownServiceError, which says the names there are."""
        if name not in self.services:
            raise UnknownServiceError(name, self.services, where=f"stack {self.name}")
        return self.services[name]


def waited_for(services: Mapping[str, ServiceConfig], condition: str) -> frozenset[str]:
    """Return the services that another one waits for by a condition of ``depends_on``."""
    return frozenset(
        dependency
        for service in services.values()
        for dependency, how in (service.config.get("depends_on") or {}).items()
        if how.get("condition") == condition
    )


def stamp_of(paths: Sequence[Path]) -> object:
    """Return what files look like, without their contents; equal as long as none is written."""
    found = []
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            found.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
    return found


def _shown(path: Path, folder: Path) -> str:
    return f"./{path.relative_to(folder)}" if path.is_relative_to(folder) else str(path)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
