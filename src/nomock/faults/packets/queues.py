"""Faults on packets that are a queueing discipline of what a service sends."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from secrets import randbelow
from typing import TYPE_CHECKING, Any

from nomock.adapters.engine import Engine
from nomock.faults.fault import Fault, State
from nomock.faults.keeper import Keeper, Undo
from nomock.faults.packets.common import PacketFault

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True, kw_only=True)
class Queueing(PacketFault):
    """Changes how the packets that a service sends are queued, on each of its interfaces.

    An interface has one such queue: a second fault of these kinds on one service is refused, and a
    service that sets one itself cannot have any.
    """

    def clashes(self, other: Fault) -> bool:
        """Contradict all others that need the queue."""
        return isinstance(other, Queueing) and self.service == other.service

    def prepare(self, ground: Ground) -> State:
        """Return a handle, by which what it adds is found again."""
        return {**super().prepare(ground), "handle": f"{0x1000 + randbelow(0xE000):x}:"}

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
        keeper = ground.keeper(self.service)
        queues = list(_queues(keeper, state))
        if not queues and _devices(keeper):  # a service without a network never had any
            raise self.gone(keeper, state)
        return {key: sum(q[key] for q in queues) for key in ("packets", "drops", "overlimits")}


@dataclass(frozen=True, kw_only=True)
class Emulating(Queueing):
    """One that sch_netem does, a module that not every kernel has."""

    def check(self, ground: Ground) -> None:
        """Raise NotPossibleError where the engine's kernel lacks the module."""
        super().check(ground)
        ground.keeper(self.service)  # which says what to do where the image is not here
        if refusal := _refusal_of_netem(ground.engine, ground.stack.settings.tools_image):
            raise self.not_possible("the engine's kernel has no sch_netem", refusal)

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
def _refusal_of_netem(engine: Engine, image: str) -> str:
    """Return what the kernel says to a netem in a network of nobody; "" where it takes it."""
    command = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    allowed = {"HostConfig": {"CapAdd": ["NET_ADMIN"]}}
    done = engine.run_alone(image, command, allowed)
    return done.output if done.exit_code else ""
