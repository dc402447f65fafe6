"""What faults stand on: the running stack, and what changes it, each opened when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nomock.adapters.engine import Engine
from nomock.adapters.toxiproxy.endpoints import CONTROL_PORT
from nomock.errors import ConfigError, UnknownEdgeError
from nomock.faults.topology import proxies, publishing
from nomock.project import Project
from nomock.stack import Postgres, Service, Stack
from nomock.target import Target

if TYPE_CHECKING:  # each is imported when a fault needs it
    from nomock.adapters.httpfaults import HttpFaults
    from nomock.adapters.toxiproxy import Edge, Toxiproxy
    from nomock.faults.watchdog import Watchdog


class StackControl:
    """The stack as faults reach it."""

    def __init__(
        self,
        stack: Stack,
        *,
        say: Callable[[str], None] = lambda text: None,
        leave_stopped: Callable[[str], None] | None = None,
    ) -> None:
        """``say`` is told what healing does beyond what is expected of it.

        ``leave_stopped`` is told of a service that healing finds stopped: somebody else starts it,
        in an order in which services get ready. Without it healing starts each, and waits for it.
        """
        self.stack = stack
        self.say = say
        self.leave_stopped = leave_stopped
        self.live: dict[str, Any] = {}
        """What faults that are on hold in this process, a thread or a connection: by a token that
        stands in their state, since another process has to do without."""
        self._watchdogs: dict[str, Watchdog] = {}
        self._toxiproxies: dict[str, Toxiproxy] = {}
        self._proxy_of: dict[str, str] = {}

    @property
    def engine(self) -> Engine:
        """The container engine; raises NotPossibleError where the services run elsewhere."""
        return self.stack.engine

    @property
    def target(self) -> Target:
        """Where the services run."""
        return self.stack.target

    @property
    def has_engine(self) -> bool:
        """Whether the services run on a container engine."""
        return isinstance(self.target, Engine)

    @cached_property
    def engine_id(self) -> str:
        """What tells the engine, or another target, from others; "" if nothing."""
        return self.target.identity()

    @property
    def project(self) -> Project:
        """The compose project."""
        return self.stack.project

    @property
    def postgres(self) -> Postgres:
        """The stack's database."""
        return self.stack.postgres

    def service(self, name: str) -> Service:
        """Return a service; raise UnknownServiceError, which says the names there are."""
        return self.stack[name]

    def container(self, service: str) -> str:
        """Return the id of a service's container; raise NotReadyError where it has none."""
        return self.stack[service].container_id

    def runs(self, service: str) -> bool:
        """Tell whether a service has a container that runs; one that left the stack has none."""
        if service not in self.project.services:
            return False
        containers = self.target.containers(self.project.name)
        return any(c.service == service and c.state == "running" for c in containers)

    @cached_property
    def proxy_services(self) -> list[str]:
        """The services that are Toxiproxy; raises ConfigError where there is none."""
        if found := proxies(self.project):
            return found
        raise ConfigError(
            "no service of this stack is Toxiproxy",
            where=f"stack {self.project.name}",
            seen=f"services that publish port {CONTROL_PORT}: none",
            todo="let the edges run through Toxiproxy, its control port published on loopback; "
            "nomock docs faults shows how",
        )

    def toxiproxy(self, service: str) -> Toxiproxy:
        """Return the control port of a service that is Toxiproxy."""
        from nomock.adapters.toxiproxy import Toxiproxy

        if service not in self._toxiproxies:
            proxy = self.service(service)

            def restart() -> tuple[str, int]:
                proxy.restart()
                self.forget(service)
                return proxy.address(CONTROL_PORT)

            made = Toxiproxy(*proxy.address(CONTROL_PORT), restart=restart)
            self._toxiproxies[service] = made
        return self._toxiproxies[service]

    @cached_property
    def edges(self) -> Mapping[str, Edge]:
        """The edges that run through Toxiproxy, as they were when first asked for.

        Asked once, since adding a fault is to take a few milliseconds. Raises ConfigError where two
        have the same name.
        """
        found: dict[str, Edge] = {}
        self._proxy_of = {}
        for service in self.proxy_services:
            for name, edge in self.toxiproxy(service).edges().items():
                if name in found:
                    raise ConfigError(
                        f"the edge {name} is there twice",
                        where=f"stack {self.project.name}",
                        seen=f"in {self._proxy_of[name]} and in {service}",
                        todo="give one of them another name",
                    )
                found[name], self._proxy_of[name] = edge, service
        return found

    def proxy_of(self, edge: str) -> str:
        """Return the service that is the Toxiproxy of an edge; raise UnknownEdgeError."""
        self.edge(edge)
        return self._proxy_of[edge]

    def edge(self, name: str) -> Edge:
        """Return an edge; raise UnknownEdgeError, which says which there are."""
        if name not in self.edges:
            # Perhaps it was made since they were asked for.
            del self.edges
        if name not in self.edges:
            raise UnknownEdgeError(
                name, self.edges, self.project.services, where=f"stack {self.project.name}"
            )
        return self.edges[name]

    @cached_property
    def http_proxy_service(self) -> str:
        """The service that is the HTTP fault proxy; raises ConfigError where there is none."""
        from nomock.adapters.httpfaults import CONTROL_PORT

        for name in publishing(self.project, CONTROL_PORT):
            return name
        services = self.project.services
        raise ConfigError(
            "no service of this stack is the HTTP fault proxy",
            where=f"stack {self.project.name}",
            seen=f"none publishes port {CONTROL_PORT}; the services are: {', '.join(services)}",
            todo="let HTTP edges run through it: nomock docs faults-http shows how",
        )

    @property
    def httpfaults(self) -> HttpFaults:
        """The control port of the HTTP fault proxy, wherever it is published just now."""
        from nomock.adapters.httpfaults import CONTROL_PORT, HttpFaults

        return HttpFaults(*self.service(self.http_proxy_service).address(CONTROL_PORT))

    def watchdog(self, service: str) -> Watchdog:
        """Return the watchdog beside a service's container, started when it is first asked for."""
        from nomock.faults.watchdog import Watchdog

        kept = self.kept(service)
        if kept is None:
            self.forget(service)
            container = self.container(service)
            kept = Watchdog.beside(self.target, container, self.stack.settings.tools_image)
            self._watchdogs[service] = kept
        return kept

    def known_watchdog(self, service: str) -> Watchdog:
        """Return the watchdog that was asked for just before, without asking whether it lives."""
        return self._watchdogs.get(service) or self.watchdog(service)

    def kept(self, service: str) -> Watchdog | None:
        """Return the watchdog that there is; it has ended when its container has."""
        kept = self._watchdogs.get(service)
        return kept if kept and kept.alive else None

    def forget(self, service: str) -> None:
        """Drop what is known of a service that was started again: its network is another one.

        Its watchdog ended with its container. One that lives still counts and guards: the service
        was only paused.
        """
        if (kept := self._watchdogs.get(service)) and not kept.alive:
            del self._watchdogs[service]
            kept.close()
        self._toxiproxies.pop(service, None)

    def close(self) -> None:
        """End the watchdogs; each undoes before what could not be healed."""
        while self._watchdogs:
            self._watchdogs.popitem()[1].close()
