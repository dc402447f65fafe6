"""By which names, and at which ports, a service of a compose file reaches others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.contracts.fault import Fault
from nomock.contracts.host import Host
from nomock.contracts.known import KnownImage, known_image
from nomock.project import Project, ServiceConfig

_DEFAULT_NETWORK = ("default",)


@dataclass(frozen=True)
class ComposeHost(Host):
    """A service of the compose file as another one knows it."""

    service: ServiceConfig
    is_in_reach: bool
    """Whether both have a network."""

    @property
    def name(self) -> str:
        """Its name in the file."""
        return self.service.name

    @property
    def known(self) -> KnownImage | None:
        """What is known of its image."""
        return known_image(self.service.image)

    @property
    def environment(self) -> Mapping[str, str | None]:
        """What the file tells it."""
        return self.service.environment

    @property
    def has_scripts(self) -> bool:
        """Whether some are mounted where its image looks for them, or may be in its own image."""
        volumes = self.service.config.get("volumes") or []
        mounted = any("initdb" in str(v.get("target")) for v in volumes)
        return self.service.is_built or mounted or bool(self.service.config.get("configs"))

    def hides(self, variable: str) -> bool:
        """Return False: an account of the file is shown, its password is not."""
        return False

    def unreached(self, named: str) -> Fault | None:
        """Return that both have no network; None where they have one."""
        if self.is_in_reach:
            return None
        return Fault(
            f"names the host {named}, and that is in no network of this service",
            f"give both a network: networks of {self.name}",
            quoted=(named,),
        )

    def wrong_port(self, named: str, port: int | None, scheme: str) -> Fault | None:
        """Return that a port is this machine's, or another one than that of its image."""
        if port is None:
            return None
        if port in self._published:
            if self.known and port == self.known.port:
                return None
            return Fault(
                f"names port {port} of {named}, which is that of this machine",
                f"between services it is {self._published[port]}",
            )
        if self.known is None or self._may_listen(port, scheme, self.known):
            return None
        inside = self.known.port
        return Fault(f"names port {port} of {named}, which listens at {inside}", f"write {inside}")

    @property
    def _published(self) -> Mapping[int, int]:
        """Port on the engine's machine -> port in the container, where these are different."""
        found = {}
        for port in self.service.config.get("ports") or []:
            outside = str(port.get("published") or "")
            if outside.isdigit() and int(outside) != port["target"]:
                found[int(outside)] = int(port["target"])
        return found

    def _may_listen(self, port: int, scheme: str, known: KnownImage) -> bool:
        if scheme not in known.schemes or port == known.port:
            return True
        values = self.service.environment.values()
        return bool(self.service.config.get("command")) or str(port) in map(str, values)


def hosts_of(project: Project, caller: ServiceConfig) -> dict[str, ComposeHost]:
    """Return the names that mean another service, or itself, in a service's network."""
    found: dict[str, ComposeHost] = {}
    own = _networks(caller)
    for service in project.services.values():
        reached = bool(own & _networks(service)) or service is caller
        host = ComposeHost(service, reached)
        for name in _names(caller, service):
            if reached or name not in found:
                found[name] = host
    return found


def other_hosts(caller: ServiceConfig) -> set[str]:
    """Return the names beside those of services: of ``extra_hosts``, and ``external_links``."""
    extra = caller.config.get("extra_hosts") or []
    words = [*(extra if isinstance(extra, list) else extra.keys())]
    words += caller.config.get("external_links") or []
    return {str(word).replace("=", ":").split(":")[0] for word in words} | {
        str(word).rpartition(":")[2] for word in caller.config.get("external_links") or []
    }


def is_alone(project: Project, caller: ServiceConfig) -> bool:
    """Tell whether a service's names are only those of this project: no network of others."""
    networks = project.config.get("networks") or {}
    mode = str(caller.config.get("network_mode") or "")
    if mode and not mode.startswith("service:"):
        return False
    return not any((networks.get(name) or {}).get("external") for name in _networks(caller))


def _names(caller: ServiceConfig, service: ServiceConfig) -> list[str]:
    config = service.config
    names = [
        service.name,
        *(str(config[k]) for k in ("container_name", "hostname") if config.get(k)),
    ]
    for how in (config.get("networks") or {}).values():
        names += (how or {}).get("aliases") or []
    for link in caller.config.get("links") or []:
        name, _, alias = str(link).partition(":")
        if name == service.name and alias:
            names.append(alias)
    return names


def _networks(service: ServiceConfig) -> set[str]:
    if service.network_owner or service.config.get("network_mode"):
        return {f" {service.config.get('network_mode')}"} | set(_DEFAULT_NETWORK)
    return set(service.config.get("networks") or _DEFAULT_NETWORK)
