"""By which names, and at which ports, a service reaches others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nomock.contracts.known import KnownImage, known_image
from nomock.project import Project, ServiceConfig

_DEFAULT_NETWORK = ("default",)


@dataclass(frozen=True)
class Host:
    """A service as another one knows it."""

    service: ServiceConfig
    is_in_reach: bool
    """Whether both have a network."""
    known: KnownImage | None

    @property
    def published(self) -> Mapping[int, int]:
        """Port on the engine's machine -> port in the container, where these are different."""
        found = {}
        for port in self.service.config.get("ports") or []:
            outside = str(port.get("published") or "")
            if outside.isdigit() and int(outside) != port["target"]:
                found[int(outside)] = int(port["target"])
        return found

    def may_listen(self, port: int, scheme: str) -> bool:
        """Tell whether it may listen at a port; False where its image is known for another one."""
        if self.known is None or scheme not in self.known.schemes or port == self.known.port:
            return True
        values = self.service.environment.values()
        return bool(self.service.config.get("command")) or str(port) in map(str, values)


def hosts_of(project: Project, caller: ServiceConfig) -> dict[str, Host]:
    """Return the names that mean another service, or itself, in a service's network."""
    found: dict[str, Host] = {}
    own = _networks(caller)
    for service in project.services.values():
        reached = bool(own & _networks(service)) or service is caller
        host = Host(service, reached, known_image(service.image))
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
