"""What all faults on packets have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from nomock.errors import FaultError, NotPossibleError
from nomock.faults.fault import Fault, State, expired, wrong
from nomock.faults.keeper import Keeper, Undo
from nomock.faults.service.common import OnService, existing

if TYPE_CHECKING:
    from nomock.faults.ground import Ground

LEAST_PERCENT = 0.001


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
        found = existing(ground, self.service)
        if len(found) > 1:
            raise self.not_possible(
                f"packets are broken beside one container: this service has {len(found)}"
            )
        if "host" in (ground.engine.networks(found[0].id) or ()):
            raise self.not_possible("it shares the network of the machine, which would break too")

    def prepare(self, ground: Ground) -> State:
        """Return a name of its own for what it adds."""
        return {"name": f"nomock_{self.kind}_{token_hex(4)}"}

    def begin(self, ground: Ground, state: State) -> None:
        """Let the keeper know how to undo it, and do it."""
        keeper = ground.keeper(self.service)
        keeper.guard(state["name"], self.undo(keeper, state), self.expires_s)
        self.apply(keeper, state)

    def heal(self, ground: Ground, state: State) -> None:
        """Undo it, if the service still has the network that it was done to."""
        if ground.kept(self.service) or ground.runs(self.service):  # one that is paused has it
            keeper = ground.keeper(self.service)
            self.revert(keeper, state)
            keeper.unguard(state["name"])

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


def percentage(fault: Fault, value: float) -> None:
    """Raise ConfigError for what is no percentage, or none of anything."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_PERCENT <= value <= 100:
        raise wrong(fault, "percent", value, f"it is a number from {LEAST_PERCENT} to 100")
