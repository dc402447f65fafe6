"""What all faults on packets have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from nomock.errors import FaultError, KeeperError, NotPossibleError
from nomock.faults.fault import Fault, State, expired, wrong
from nomock.faults.keeper import Keeper, Undo
from nomock.faults.service.common import OnService, existing, run_again
from nomock.stack import sharing

if TYPE_CHECKING:
    from nomock.faults.ground import Ground
    from nomock.project import Project

LEAST_PERCENT = 0.001
_HAS_A_NETWORK = {"running", "paused"}
NO_PROGRAM = 127
"""The exit code of a command that the image does not have."""


@dataclass(frozen=True)
class PacketFault(OnService):
    """A fault on what a service sends and receives, whoever the other side is.

    A keeper beside its container does it, and undoes it where this process is killed. What stays
    inside the container is not touched. It goes with the container's network: a service that is
    stopped meanwhile comes back without it.
    """

    def check(self, ground: Ground) -> None:
        """Refuse a service that has no network of its own, or several containers."""
        super().check(ground)
        found = existing(ground, self.beside(ground))
        if len(found) > 1:
            raise self.not_possible(
                f"packets are broken beside one container: this service has {len(found)}"
            )
        if "host" in (ground.engine.networks(found[0].id) or ()):
            raise self.not_possible("it shares the network of the machine, which would break too")

    def beside(self, ground: Ground) -> str:
        """Return the service whose network it is: another one, where it shares that one's."""
        return sharing.network_owner(ground.project, self.service)

    def prepare(self, ground: Ground) -> State:
        """Have a keeper, try the kernel, and return a name of its own for what it adds.

        And whose network it is, from when on: it is over with that.
        """
        keeper = ground.keeper(self.beside(ground))
        life = ground.engine.life(keeper.container_id)
        state: State = {
            "name": f"nomock_{self.kind}_{token_hex(4)}",
            "container": keeper.container_id,
            "started_at": life.started_at if life else "",
            **self.noted(ground),
        }
        self.rehearse(keeper, state)
        return state

    def begin(self, ground: Ground, state: State) -> None:
        """Let the keeper know how to undo it, and do it."""
        keeper = ground.known_keeper(self.beside(ground))
        keeper.guard(state["name"], self.undo(keeper, state), self.expires_s)
        self.apply(keeper, state)

    def heal(self, ground: Ground, state: State) -> None:
        """Undo it, if the service still has the network that it was done to.

        Where no keeper can be had for that, the service is started anew, which gives it another.
        """
        service = self.beside(ground)
        if not self._is_there(ground, service, state):
            return
        try:
            keeper = ground.keeper(service)
        except KeeperError:
            ground.say(f"starting {service} anew, since there is no keeper to heal it")
            for container in existing(ground, service):
                ground.engine.stop(container.id)
            run_again(ground, service)
        else:
            self.revert(keeper, state)
            keeper.unguard(state["name"])

    def by_hand(self, project: Project) -> str:
        """Name the service whose network is another one when it is started again."""
        service = sharing.network_owner(project, self.service)
        return (
            f"packets of {service} may be dropped or late still: docker compose restart {service}"
        )

    def noted(self, ground: Ground) -> State:
        """Return what more there is to know when it begins and when it heals."""
        return {}

    @abstractmethod
    def rehearse(self, keeper: Keeper, state: State) -> None:
        """Raise KeeperError or NotPossibleError where it cannot be done; change nothing."""

    @abstractmethod
    def apply(self, keeper: Keeper, state: State) -> None:
        """Break the packets."""

    @abstractmethod
    def revert(self, keeper: Keeper, state: State) -> None:
        """Undo that, if it was done."""

    @abstractmethod
    def undo(self, keeper: Keeper, state: State) -> Sequence[Undo]:
        """Return the same as steps for the keeper."""

    def gone(self, keeper: Keeper, state: State) -> FaultError:
        """Return the error of one of which nothing is there, nor of what it counted."""
        if state["name"] in keeper.undone:
            return expired(self, keeper.undone[state["name"]])
        return FaultError(
            "what it met was not counted to the end",
            where=f"fault {self.name}",
            seen="nothing of it is there; was the service restarted meanwhile?",
        )

    def run(self, keeper: Keeper, *command: str, input: str = "") -> str:
        """Run a command beside the service, return what it said; raise FaultError if it failed."""
        done = keeper.run(*command, input=input)
        if done.exit_code:
            raise FaultError(
                f"{' '.join(command)} ended with {done.exit_code}",
                where=f"fault {self.name}",
                seen=done.output,
            )
        return done.output

    def not_possible(self, why: str, seen: str = "") -> NotPossibleError:
        """Return the error of what cannot be done here."""
        return NotPossibleError(why, where=f"fault {self.name}", seen=seen)

    def lacking(self, program: str) -> KeeperError:
        """Return the error of an image that has not what this kind needs."""
        return KeeperError(
            f"the image that it is made of has no {program}",
            where=f"fault {self.name}",
            todo="name one that has python3, nft and tc: tools_image in [tool.nomock]",
        )

    def _is_there(self, ground: Ground, service: str, state: State) -> bool:
        if "container" not in state:  # written by an earlier version
            return ground.kept(service) is not None or ground.runs(service)
        life = ground.engine.life(state["container"])
        return (
            life is not None
            and life.started_at == state["started_at"]
            and life.state in _HAS_A_NETWORK
        )


def percentage(fault: Fault, value: float) -> None:
    """Raise ConfigError for what is no percentage, or none of anything."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_PERCENT <= value <= 100:
        raise wrong(fault, "percent", value, f"it is a number from {LEAST_PERCENT} to 100")
