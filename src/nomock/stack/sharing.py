"""Services that have the network, the processes or the IPC of another one for their own.

Such a service joins what the other's container has when it is started. When the other is started
again, which gives that one a new network, whoever shares it keeps the old one, and reaches nobody:
it has to be started anew, too. Compose does so where it replaces a container, but not where one
is only started again. https://docs.docker.com/reference/compose-file/services/#network_mode
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from time import time

from nomock.adapters.engine import Engine
from nomock.adapters.engine.past import moment
from nomock.project import Project
from nomock.target import Container, ContainerState, Target

_KEYS = ("network_mode", "pid", "ipc")
_LIVES = {"running", "paused"}
_BY_SIGKILL = 137
# The kernel kills who shares its processes a moment before or after the engine hears of either.
_TOGETHER_S = 2.0


def network_owner(project: Project, service: str) -> str:
    """Return the service whose network a service has: itself, unless it shares another one's."""
    seen = {service}
    while (owner := _named(project, service, "network_mode")) and owner not in seen:
        seen.add(owner)
        service = owner
    return service


def sharers(project: Project, service: str) -> list[str]:
    """Return who shares something of a service, over any number of steps, in the order to start."""
    owners = {name: _owners(project, name) for name in project.services}
    found = {service}
    for name in TopologicalSorter(owners).static_order():
        if owners[name] & found:
            found.add(name)
    return [name for name in TopologicalSorter(owners).static_order() if name in found - {service}]


def stale_sharers(
    engine: Engine, project: Project, containers: Sequence[Container]
) -> dict[str, str]:
    """Return the services that run with what another one had before it was started again: why.

    Nothing is asked of the engine where no service shares anything.
    """
    found: dict[str, str] = {}
    for name in project.services:
        owners = " and ".join(sorted(_owners(project, name)))
        if owners and any(s.is_stale for s in _sharing(engine, containers, name)):
            found[name] = f"shares what {owners} had before that was started again"
    running = {c.service for c in containers if c.state == "running"}
    for name in list(found):
        for other in running.intersection(sharers(project, name)):
            found.setdefault(other, f"shares something of {name}, which has to be started anew")
    return found


def start_sharers(engine: Engine, project: Project, service: str) -> list[str]:
    """Start anew who shares something of a service that was started again; return their names.

    Not who had ended before that one did: it was stopped on purpose. Raises EngineError.
    """
    started: list[str] = []
    names = sharers(project, service)
    containers = engine.containers(project.name) if names else []
    for name in names:
        for sharing in _sharing(engine, containers, name):
            if sharing.can_join and (sharing.is_stale or sharing.ended_with_its_owner):
                if sharing.life.state not in {"exited", "dead"}:
                    engine.stop(sharing.container_id)
                engine.start(sharing.container_id)
                started.append(name)
    return list(dict.fromkeys(started))


def waits_for_another(target: Target, life: ContainerState) -> bool:
    """Tell whether a container cannot be started since one whose network it has does not run."""
    owners = [target.container_state(owner) for owner in life.joins.values()]
    return any(owner is None or owner.state not in _LIVES for owner in owners)


class Clock:
    """Puts moments of one engine in order, also where its clock was set back between them."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """``now_s`` asks for the engine's time, and is asked only where it matters."""
        self._now_s = now_s

    def order(self, text: str, before_s: float = 0.0) -> tuple[bool, float]:
        """Return what a moment is put in order by; ``before_s``: one that was so long before it.

        One of the future was before the clock was set back, and so before all that are not.
        """
        at_s = moment(text) or 0.0
        is_past = at_s <= time() or at_s <= self._asked_s
        return is_past, at_s - before_s

    @cached_property
    def _asked_s(self) -> float:
        return self._now_s()


@dataclass(frozen=True)
class Sharing:
    """A container that shares something of others, and how these are."""

    container_id: str
    life: ContainerState
    owners: Mapping[str, ContainerState]
    """By what it has of theirs."""
    clock: Clock

    @property
    def can_join(self) -> bool:
        """Whether all that it shares something of is there."""
        return all(owner.state in _LIVES for owner in self.owners.values())

    @property
    def is_stale(self) -> bool:
        """Whether it goes on with what is no longer there."""
        if self.life.state not in _LIVES | {"restarting"}:
            return False
        began = self.clock.order(self.life.started_at)
        again = any(self.clock.order(o.started_at) > began for o in self.owners.values())
        return again or not self.can_join

    @property
    def ended_with_its_owner(self) -> bool:
        """Whether it ended while one of them did not run."""
        if self.life.state not in {"exited", "dead"}:
            return False
        order = self.clock.order
        ended = order(self.life.finished_at)
        for what, owner in self.owners.items():
            together = what == "processes" and self.life.exit_code == _BY_SIGKILL
            earliest = order(owner.finished_at, _TOGETHER_S if together else 0.0)
            if earliest <= ended < order(owner.started_at):
                return True
        return False


def _sharing(engine: Engine, containers: Sequence[Container], service: str) -> Iterator[Sharing]:
    clock = Clock(engine.now_s)
    for container in containers:
        if container.service == service and (life := engine.container_state(container.id)):
            found = {what: engine.container_state(id_) for what, id_ in life.joins.items()}
            owners = {what: owner for what, owner in found.items() if owner is not None}
            yield Sharing(container.id, life, owners, clock)


def _owners(project: Project, service: str) -> set[str]:
    return {owner for key in _KEYS if (owner := _named(project, service, key))}


def _named(project: Project, service: str, key: str) -> str:
    """Return the service of the same project that one names for its own, "" where it names none."""
    if service not in project.services:  # it left the stack
        return ""
    how, _, named = str(project.services[service].config.get(key) or "").partition(":")
    if how == "service":
        return named if named in project.services else ""
    if how == "container":
        for name, other in project.services.items():
            usual = rf"{re.escape(f'{project.name}-{name}')}-\d+"
            if named == other.config.get("container_name") or re.fullmatch(usual, named):
                return name
    return ""
