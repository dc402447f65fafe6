"""Where a service of the stack answers, or why it does not."""

from __future__ import annotations

from collections.abc import Iterable

from nomock.errors import ConfigError, NotReadyError, UnpublishedError
from nomock.project import ServiceConfig
from nomock.target import Address, Container


def address_of(config: ServiceConfig, container: Container, target: int, protocol: str) -> Address:
    """Return where a port in a container is reached, published or not.

    Raises as ``published_of`` does.
    """
    if config.publishes(target, protocol):
        return published_of(config, container, target, protocol)
    if container.state != "running":
        raise _closed(config, container, target)
    try:
        return container.reached(target, protocol)
    except UnpublishedError as error:
        raise _explained(config, error) from None


def published_of(
    config: ServiceConfig, container: Container, target: int, protocol: str
) -> Address:
    """Return where a published port of a container is reached.

    Raises UnpublishedError, or another ConfigError that says more, where it is not published,
    UnreachableError where it is not reached, NotReadyError where the container does not run.
    """
    try:
        return container.published(target, protocol)
    except UnpublishedError as error:
        if config.publishes(target, protocol):
            raise _closed(config, container, target) from error
        raise _explained(config, error) from None


def http_port_of(config: ServiceConfig, containers: Iterable[Container], line: str) -> int:
    """Return the port that ``url`` is of: the first published one, else the first exposed one.

    ``line``: what would publish one. Raises UnpublishedError where there is none.
    """
    for port in config.published_ports + config.exposed_ports:
        return port
    # What the image exposes, which the engine does not tell of an internal network.
    exposed = [port for container in containers for port in container.ports.exposed]
    if not exposed:
        raise _explained(config, UnpublishedError(config.name, "any port", (), line))
    return min(exposed)


def _closed(config: ServiceConfig, container: Container, target: int) -> NotReadyError:
    return NotReadyError(
        f"port {target} is not open: the container is {container.state}",
        where=f"service {config.name}",
        todo=f"stack[{config.name!r}].start(), or: nomock logs {config.name}",
    )


def _explained(config: ServiceConfig, error: UnpublishedError) -> ConfigError:
    """Return the error of a service that cannot publish anything, where it is such a one."""
    if owner := config.network_owner:
        return ConfigError(
            f"it is in the network of {owner}, which publishes its ports",
            where=error.where,
            seen=f"network_mode: service:{owner}",
            todo=f"ask stack[{owner!r}]: its url, or its port(PORT)",
        )
    mode = str(config.config.get("network_mode") or "")
    if mode.startswith("container:") or mode == "none":
        return ConfigError(
            error.what,
            where=error.where,
            seen=f"network_mode: {mode}",
            todo="give it a network of its own in the compose file, or ask it by exec",
        )
    if mode == "host":
        return ConfigError(
            error.what,
            where=error.where,
            seen=error.seen,
            todo='add to its ports: "PORT"; on the host\'s network: .address(PORT)',
        )
    return error
