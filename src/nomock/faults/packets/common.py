"""What all faults on packets have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import NotRequired, TypedDict

from nomock.errors import FaultError, NotPossibleError, WatchdogError
from nomock.faults.fault import Fault, expired, wrong
from nomock.faults.service_fault import ServiceFault, ensure_running, existing
from nomock.faults.stack_control import StackControl
from nomock.faults.watchdog import Undo, Watchdog
from nomock.project import Project
from nomock.stack import sharing
from nomock.target import ExecResult

LEAST_PERCENT = 0.001
NO_PROGRAM = 127
"""The exit code of a command that the image does not have."""


class PacketState(TypedDict):
    """How what a fault added to a network is found again."""

    name: str
    """The name of what the fault adds, which no other has."""
    container: str
    """The id of the container whose network it is."""
    network: str
    """What tells that network from the one that the container has when it is started again."""
    handle: NotRequired[str]
    """The handle of a queue."""
    addresses: NotRequired[list[str]]
    """The addresses of the service that it is parted from."""


@dataclass(frozen=True)
class PacketFault(ServiceFault):
    """A fault on what a service sends and receives, whoever the other side is.

    A watchdog beside its container does it, and undoes it where this process is killed. What stays
    inside the container is not touched. It goes with the container's network: a service that is
    stopped meanwhile comes back without it.
    """

    def validate_kind(self, control: StackControl) -> None:
        """Refuse a service that has no network of its own, or several containers."""
        super().validate_kind(control)
        found = existing(control, self.beside(control))
        if len(found) > 1:
            raise self.not_possible(
                f"packets are broken beside one container: this service has {len(found)}"
            )
        if found[0].ports.is_on_host:
            raise self.not_possible("it shares the network of the machine, which would break too")

    def beside(self, control: StackControl) -> str:
        """Return the service whose network it is: another one, where it shares that one's."""
        return sharing.network_owner(control.project, self.service)

    def prepare(self, control: StackControl) -> PacketState:
        """Have a watchdog, try the kernel, and return a name of its own for what it adds.

        And whose network it is, from when on: it is over with that.
        """
        watchdog = control.watchdog(self.beside(control))
        life = control.target.container_state(watchdog.container_id)
        state: PacketState = {
            "name": f"nomock_{self.kind}_{token_hex(4)}",
            "container": watchdog.container_id,
            "network": life.network if life else "",
        }
        self.note(control, state)
        self.rehearse(watchdog, state)
        return state

    def begin(self, control: StackControl, state: PacketState) -> None:
        """Tell the watchdog how to mend the packets, and break them."""
        watchdog = control.known_watchdog(self.beside(control))
        watchdog.guard(state["name"], self.undo(watchdog, state), self.expires_s)
        self.apply(watchdog, state)

    def heal(self, control: StackControl, state: PacketState) -> None:
        """Mend the service's packets, if it still has the network in which they were broken.

        Where no watchdog can be had for that, the service is started anew, which gives it another.
        """
        service = self.beside(control)
        if not self._is_there(control, service, state):
            return
        try:
            watchdog = control.watchdog(service)
        except WatchdogError:
            control.say(f"starting {service} anew, since there is no watchdog to heal it")
            for container in existing(control, service):
                control.target.stop(container.id)
            ensure_running(control, service)
        else:
            self.revert(watchdog, state)
            watchdog.unguard(state["name"])

    def by_hand(self, project: Project) -> str:
        """Name the service whose network is another one when it is started again."""
        service = sharing.network_owner(project, self.service)
        return (
            f"packets of {service} may be dropped or late still: docker compose restart {service}"
        )

    def note(self, control: StackControl, state: PacketState) -> None:
        """Add to the state what more this kind has to know when it begins and when it heals."""

    @abstractmethod
    def rehearse(self, watchdog: Watchdog, state: PacketState) -> None:
        """Raise WatchdogError or NotPossibleError where it cannot be done; change nothing."""

    @abstractmethod
    def apply(self, watchdog: Watchdog, state: PacketState) -> None:
        """Break the packets."""

    @abstractmethod
    def revert(self, watchdog: Watchdog, state: PacketState) -> None:
        """Mend the packets; also those that were never broken."""

    @abstractmethod
    def undo(self, watchdog: Watchdog, state: PacketState) -> Sequence[Undo]:
        """Return the steps by which the watchdog mends the packets."""

    def gone(self, watchdog: Watchdog, state: PacketState) -> FaultError:
        """Return the error of one of which nothing is there, nor of what it counted."""
        if state["name"] in watchdog.undone:
            return expired(self, watchdog.undone[state["name"]])
        return FaultError(
            "what it met was not counted to the end",
            where=f"fault {self.name}",
            seen="nothing of it is there; was the service restarted meanwhile?",
        )

    def run(self, watchdog: Watchdog, *command: str, input: str = "") -> str:
        """Run a command beside the service, return what it said; raise FaultError if it failed."""
        done = watchdog.run(*command, input=input)
        if done.exit_code:
            raise self.failed(command, done)
        return done.output

    def failed(self, command: Sequence[str], done: ExecResult) -> FaultError:
        """Return the error of a command that failed."""
        return FaultError(
            f"{' '.join(command)} ended with {done.exit_code}",
            where=f"fault {self.name}",
            seen=done.output,
        )

    def not_possible(self, why: str, seen: str = "") -> NotPossibleError:
        """Return the error of what cannot be done here."""
        return NotPossibleError(why, where=f"fault {self.name}", seen=seen)

    def lacking(self, program: str) -> WatchdogError:
        """Return the error of an image that has not what this kind needs."""
        return WatchdogError(
            f"the image that it is made of has no {program}",
            where=f"fault {self.name}",
            todo="name one that has python3, nft and tc: tools_image in [tool.nomock]",
        )

    def _is_there(self, control: StackControl, service: str, state: PacketState) -> bool:
        if "network" not in state:  # written by an earlier version
            return control.kept(service) is not None or control.runs(service)
        life = control.target.container_state(state["container"])
        return life is not None and life.network != "" and life.network == state["network"]


def percentage(fault: Fault, value: float) -> None:
    """Raise ConfigError for what is no percentage, or none of anything."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_PERCENT <= value <= 100:
        raise wrong(fault, "percent", value, f"it is a number from {LEAST_PERCENT} to 100")
