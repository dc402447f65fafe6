"""What the faults of services share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypedDict

from nomock.errors import ConfigError, NotReadyError
from nomock.faults.fault import Fault
from nomock.faults.stack_control import StackControl
from nomock.polling import wait_until
from nomock.project import Project
from nomock.stack import sharing
from nomock.target import Container, ContainerState

_LIST_BEHIND_S = 2.0


@dataclass(frozen=True)
class ServiceFault(Fault, ABC):
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

    def validate_kind(self, control: StackControl) -> None:
        """Refuse a service that there is not, or that does not run."""
        control.service(self.service)
        if self.service in control.project.one_shots:
            raise ConfigError(
                "a one-shot has ended before a test begins: nothing is there to break",
                where=f"fault {self.name}",
                todo="break the service that it works for, or run it anew in the test",
            )
        for container in existing(control, self.service):
            if container.state != "running":
                raise NotReadyError(
                    f"the container is {container.state}: nothing is there to break",
                    where=f"fault {self.name}",
                    todo=f"stack[{self.service!r}].start(), or: nomock logs {self.service}",
                )

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Take it, and all with whom it shares a network: they lose that, too, or its packets."""
        owner = sharing.network_owner(control.project, self.service)
        others = (owner, *sharing.sharers(control.project, owner))
        return super().exclusive_parts(control).union(others if len(others) > 1 else ())

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict the same kind; and two that take the service away contradict each other.

        Whichever is second would find nothing to break, and what is ready again with the one could
        not be reached for the other.
        """
        if not isinstance(other, ServiceFault) or other.service != self.service:
            return False
        return self.kind == other.kind or (self.takes_away and other.takes_away)

    def masks(self, other: Fault) -> bool:
        """Tell whether another fault could not begin, or would break nothing, while it is on."""
        return self.takes_away and isinstance(other, ServiceFault) and other.service == self.service


class Lived(TypedDict):
    """When a container was started and had ended, as the engine says it."""

    started_at: str
    finished_at: str


class LivesState(TypedDict):
    """How the containers of a service were before."""

    before: dict[str, Lived]
    """By their ids."""


@dataclass(frozen=True)
class LifecycleFault(ServiceFault, ABC):
    """A fault by which a service does not run, or not as it did."""

    @property
    def takes_away(self) -> bool:
        """Yes: nobody reaches a service that does not run."""
        return True

    def prepare(self, control: StackControl) -> LivesState:
        """Note when each container was started and had ended."""
        found = {
            c.id: control.target.container_state(c.id) for c in existing(control, self.service)
        }
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

    def heal(self, control: StackControl, state: LivesState) -> None:
        """Make sure that it runs, and wait until it is ready."""
        ensure_running(control, self.service)


def existing(control: StackControl, service: str) -> list[Container]:
    """Return the containers of a service; raise NotReadyError where it has none."""
    control.container(service)
    return containers(control, service)


def containers(control: StackControl, service: str) -> list[Container]:
    """Return the containers of a service as they are now: after a fault they may be others."""
    found = control.target.containers(control.project.name)
    return [container for container in found if container.service == service]


def lives(control: StackControl, state: LivesState) -> Iterator[tuple[Lived, ContainerState]]:
    """Yield of each container that is still there what was noted of it, and how it is now."""
    for id_, before in state["before"].items():
        life = control.target.container_state(id_)
        if life is not None:
            yield before, life


def are_gone(control: StackControl, state: LivesState) -> bool:
    """Tell whether none of the containers is there any more: a cluster takes ended pods away.

    From an engine somebody else has taken them.
    """
    return not control.has_engine and all(
        control.target.container_state(id_) is None for id_ in state["before"]
    )


def wait_until_listed(
    control: StackControl, service: str, as_wanted: Callable[[Container], bool]
) -> None:
    """Return when the list of containers, of which ports are asked, says what has happened.

    An engine's is a few milliseconds behind.
    """
    wait_until(lambda: all(map(as_wanted, containers(control, service))), within_s=_LIST_BEHIND_S)


def ensure_running(control: StackControl, service: str) -> None:
    """Return when a service runs and is ready, whatever has become of it meanwhile.

    One whose containers were removed is left so: the next run makes it anew. One that has the
    network of another that does not run is started with that one. Where somebody else starts what
    is stopped, this names it to them and does not wait.
    """
    found, waits = containers(control, service), False
    for container in found:
        # Not the state in the list, which may be that of a moment ago.
        life = control.target.container_state(container.id)
        if life is not None and life.state == "paused":
            control.target.unpause(container.id)
        elif life is not None and life.state != "running":
            if control.leave_stopped is not None:
                control.leave_stopped(service)
            elif sharing.waits_for_another(control.target, life):
                waits = True
            else:
                control.target.start(container.id)
    control.forget(service)
    if found and control.leave_stopped is None and not waits:
        control.stack.wait_started(service)
