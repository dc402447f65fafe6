"""What the faults of services share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from nomock.adapters.engine import Container, Life
from nomock.errors import ConfigError, NotReadyError
from nomock.faults.fault import Fault, State
from nomock.stack import sharing

if TYPE_CHECKING:
    from nomock.faults.ground import Ground
    from nomock.project import Project

_LIST_BEHIND_S = 2.0


@dataclass(frozen=True)
class OnService(Fault, ABC):
    """A fault of a whole service: of each of its containers, where it has several."""

    service: str

    @property
    def where(self) -> str:
        """The service."""
        return self.service

    @property
    def takes_away(self) -> bool:
        """Whether nobody can reach the service while it is on, however they try."""
        return False

    def check(self, ground: Ground) -> None:
        """Refuse a service that there is not, or that does not run."""
        ground.service(self.service)
        if self.service in ground.project.one_shots:
            raise ConfigError(
                "a one-shot has ended before a test begins: nothing is there to break",
                where=f"fault {self.name}",
                todo="break the service that it works for, or run it anew in the test",
            )
        for container in existing(ground, self.service):
            if container.state != "running":
                raise NotReadyError(
                    f"the container is {container.state}: nothing is there to break",
                    where=f"fault {self.name}",
                    todo=f"stack[{self.service!r}].start(), or: nomock logs {self.service}",
                )

    def takes(self, ground: Ground) -> frozenset[str]:
        """Take it, and all with whom it shares a network: they lose that, too, or its packets."""
        owner = sharing.network_owner(ground.project, self.service)
        others = (owner, *sharing.sharers(ground.project, owner))
        return super().takes(ground).union(others if len(others) > 1 else ())

    def clashes(self, other: Fault) -> bool:
        """Contradict the same kind; and two that take the service away contradict each other.

        Whichever is second would find nothing to break, and what is ready again with the one could
        not be reached for the other.
        """
        if not isinstance(other, OnService) or other.service != self.service:
            return False
        return self.kind == other.kind or (self.takes_away and other.takes_away)

    def leaves_nothing_to(self, other: Fault) -> bool:
        """Tell whether another fault could not begin, or would break nothing, while it is on."""
        return self.takes_away and isinstance(other, OnService) and other.service == self.service


@dataclass(frozen=True)
class OnLife(OnService, ABC):
    """A fault of whether it runs."""

    @property
    def takes_away(self) -> bool:
        """It does."""
        return True

    def prepare(self, ground: Ground) -> State:
        """Note when each container was started and had ended."""
        found = {c.id: ground.engine.life(c.id) for c in existing(ground, self.service)}
        return {
            "before": {
                id_: {"started_at": life.started_at, "finished_at": life.finished_at}
                for id_, life in found.items()
                if life is not None
            }
        }

    def by_hand(self, project: Project) -> str:
        """Name the service that may be down."""
        name = self.service
        return f"{name} may be down or paused still: docker compose unpause {name}, then nomock up"

    def heal(self, ground: Ground, state: State) -> None:
        """Make sure that it runs, and wait until it is ready."""
        run_again(ground, self.service)


def existing(ground: Ground, service: str) -> list[Container]:
    """Return the containers of a service; raise NotReadyError where it has none."""
    ground.container(service)
    return containers(ground, service)


def containers(ground: Ground, service: str) -> list[Container]:
    """Return the containers of a service as they are now: after a fault they may be others."""
    return [c for c in ground.engine.containers(ground.project.name) if c.service == service]


def lives(ground: Ground, state: State) -> Iterator[tuple[dict[str, str], Life]]:
    """Yield of each container that is still there what was noted of it, and how it is now."""
    for id_, before in state["before"].items():
        life = ground.engine.life(id_)
        if life is not None:
            yield before, life


def until_listed(ground: Ground, service: str, as_wanted: Callable[[Container], bool]) -> None:
    """Return when the engine's list, of which ports are asked, says what has happened.

    It is a few milliseconds behind.
    """
    deadline, pause = monotonic() + _LIST_BEHIND_S, Event()
    while not all(map(as_wanted, containers(ground, service))) and monotonic() < deadline:
        pause.wait(0.005)


def run_again(ground: Ground, service: str) -> None:
    """Return when a service runs and is ready, whatever has become of it meanwhile.

    One whose containers were removed is left so: the next run makes it anew. One that has the
    network of another that does not run is started with that one. Where somebody else starts what
    is stopped, this names it to them and does not wait.
    """
    found, waits = containers(ground, service), False
    for container in found:
        # Not the state in the list, which may be that of a moment ago.
        life = ground.engine.life(container.id)
        if life is not None and life.state == "paused":
            ground.engine.unpause(container.id)
        elif life is not None and life.state != "running":
            if ground.stopped is not None:
                ground.stopped.add(service)
            elif sharing.waits_for_another(ground.engine, life):
                waits = True
            else:
                ground.engine.start(container.id)
    ground.forget(service)
    if found and ground.stopped is None and not waits:
        ground.stack.wait_started(service)
