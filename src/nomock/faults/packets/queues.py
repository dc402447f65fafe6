"""Faults on packets that are a queueing discipline of what a service sends."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from secrets import randbelow
from typing import TYPE_CHECKING, Any, ClassVar

from nomock.adapters.engine import Ended, Engine
from nomock.faults.fault import Fault, State
from nomock.faults.keeper import Keeper, Undo
from nomock.faults.packets.common import NO_PROGRAM, PacketFault

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class Queueing(PacketFault):
    """Changes how the packets that a service sends are queued, on each of its interfaces.

    An interface has one such queue: a second fault of these kinds on one service is refused, and a
    service that sets one itself cannot have any.
    """

    example: ClassVar[tuple[str, ...]]
    """A discipline of the kind, as tc takes it, by which is seen whether the kernel has that."""

    def check(self, ground: Ground) -> None:
        """Raise KeeperError where there is no tc, NotPossibleError where the kernel refuses."""
        super().check(ground)
        ground.keeper(self.beside(ground))  # which says what to do where the image is not here
        done = _tried(ground.engine, ground.stack.settings.tools_image, self.example)
        if done.exit_code == NO_PROGRAM:
            raise self.lacking("tc")
        if done.exit_code:
            why = f"the engine's kernel has no sch_{self.example[0]}"
            raise self.not_possible(why, done.output)

    def clashes(self, other: Fault) -> bool:
        """Contradict all others that need the queue."""
        return isinstance(other, Queueing) and self.service == other.service

    def noted(self, ground: Ground) -> State:
        """Return a handle, by which what it adds is found again."""
        return {"handle": f"{0x1000 + randbelow(0xE000):x}:"}

    def rehearse(self, keeper: Keeper, state: State) -> None:
        """Do nothing more than ``check``: an interface has to be changed to try it."""

    @abstractmethod
    def discipline(self) -> Sequence[str]:
        """Return it as tc takes it."""

    def apply(self, keeper: Keeper, state: State) -> None:
        """Add it to each interface."""
        for device in _devices(keeper):
            added = ("root", "handle", state["handle"], *self.discipline())
            self.run(keeper, "tc", "qdisc", "add", "dev", device, *added)

    def revert(self, keeper: Keeper, state: State) -> None:
        """Remove it where it is."""
        for queue in _queues(keeper, state):
            self.run(keeper, *_removal(queue["dev"], state))

    def undo(self, keeper: Keeper, state: State) -> Sequence[Undo]:
        """Return the same as steps for the keeper, of which those fail that find nothing."""
        return [{"command": _removal(device, state)} for device in _devices(keeper)]

    def met(self, ground: Ground, state: State) -> Mapping[str, int]:
        """Return what the queues counted, all interfaces together."""
        keeper = ground.keeper(self.beside(ground))
        queues = list(_queues(keeper, state))
        if not queues and _devices(keeper):  # a service without a network never had any
            raise self.gone(keeper, state)
        return {key: sum(q[key] for q in queues) for key in ("packets", "drops", "overlimits")}


@dataclass(frozen=True, kw_only=True)
class Emulating(Queueing):
    """One that sch_netem does, a module that not every kernel has."""

    example = ("netem", "delay", "1ms")

    def discipline(self) -> Sequence[str]:
        """Return what is emulated, behind the discipline's name."""
        return ["netem", *self.emulated()]

    @abstractmethod
    def emulated(self) -> Sequence[str]:
        """Return what is emulated."""

    def seen(self, ground: Ground, state: State) -> str:
        """Return how many packets came through."""
        packets = self.met(ground, state)["packets"]
        return f"{packets} packets came through it" if packets else ""


def _devices(keeper: Keeper) -> list[str]:
    """Return the interfaces of the namespace, without the loopback one."""
    listed = json.loads(keeper.run("ip", "-json", "link", "show", "up").output)
    return [link["ifname"] for link in listed if "LOOPBACK" not in link["flags"]]


def _queues(keeper: Keeper, state: State) -> Iterator[Mapping[str, Any]]:
    """Yield the queues that were added, as tc tells them."""
    listed = json.loads(keeper.run("tc", "-json", "-statistics", "qdisc", "show").output)
    yield from (q for q in listed if q.get("root") and q["handle"] == state["handle"])


def _removal(device: str, state: State) -> Sequence[str]:
    return ["tc", "qdisc", "del", "dev", device, "root", "handle", state["handle"]]


@cache
def _tried(engine: Engine, image: str, discipline: tuple[str, ...]) -> Ended:
    """Return what the kernel says to a discipline in a network of nobody."""
    command = ["tc", "qdisc", "add", "dev", "lo", "root", *discipline]
    return engine.run_alone(image, command, {"HostConfig": {"CapAdd": ["NET_ADMIN"]}})
