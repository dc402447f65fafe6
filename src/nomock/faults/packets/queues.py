"""Faults on packets that are a queueing discipline of what a service sends."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from secrets import randbelow
from typing import Any, ClassVar

from nomock.adapters.engine import Engine
from nomock.faults.fault import Fault
from nomock.faults.packets.common import NO_PROGRAM, PacketFault, PacketState
from nomock.faults.stack_control import StackControl
from nomock.faults.watchdog import Undo, Watchdog
from nomock.target import ExecResult


@dataclass(frozen=True, kw_only=True)
class QdiscFault(PacketFault):
    """Changes how the packets that a service sends are queued, on each of its interfaces.

    An interface has one such queue: a second fault of these kinds on one service is refused, and a
    service that sets one itself cannot have any.
    """

    example: ClassVar[tuple[str, ...]]
    """A discipline of the kind, as tc takes it, by which is seen whether the kernel has that."""

    def validate_kind(self, control: StackControl) -> None:
        """Raise WatchdogError where there is no tc, NotPossibleError where the kernel refuses."""
        super().validate_kind(control)
        control.watchdog(self.beside(control))  # which says what to do where the image is not here
        done = _tried(control.engine, control.stack.settings.tools_image, self.example)
        if done.exit_code == NO_PROGRAM:
            raise self.lacking("tc")
        if done.exit_code:
            why = f"the engine's kernel has no sch_{self.example[0]}"
            raise self.not_possible(why, done.output)

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict all others that need the queue."""
        return isinstance(other, QdiscFault) and self.service == other.service

    def note(self, control: StackControl, state: PacketState) -> None:
        """Choose a handle, by which what it adds is found again."""
        state["handle"] = f"{0x1000 + randbelow(0xE000):x}:"

    def rehearse(self, watchdog: Watchdog, state: PacketState) -> None:
        """Do nothing more than ``validate_kind``: an interface has to be changed to try it."""

    @abstractmethod
    def discipline(self) -> Sequence[str]:
        """Return it as tc takes it."""

    def apply(self, watchdog: Watchdog, state: PacketState) -> None:
        """Add the queue to each interface."""
        for device in _devices(watchdog):
            added = ("root", "handle", state["handle"], *self.discipline())
            self.run(watchdog, "tc", "qdisc", "add", "dev", device, *added)

    def revert(self, watchdog: Watchdog, state: PacketState) -> None:
        """Remove the queue from the interfaces that have it."""
        for queue in _queues(watchdog, state):
            self.run(watchdog, *_removal(queue["dev"], state))

    def undo(self, watchdog: Watchdog, state: PacketState) -> Sequence[Undo]:
        """Return the watchdog's steps: one for each interface, which fails where no queue is."""
        return [{"command": _removal(device, state)} for device in _devices(watchdog)]

    def passed(self, control: StackControl, state: PacketState) -> Mapping[str, int]:
        """Return what the queues counted, all interfaces together."""
        watchdog = control.watchdog(self.beside(control))
        queues = list(_queues(watchdog, state))
        if not queues and _devices(watchdog):  # a service without a network never had any
            raise self.gone(watchdog, state)
        return {key: sum(q[key] for q in queues) for key in ("packets", "drops", "overlimits")}


@dataclass(frozen=True, kw_only=True)
class NetemFault(QdiscFault):
    """One that sch_netem does, a module that not every kernel has."""

    example = ("netem", "delay", "1ms")

    def discipline(self) -> Sequence[str]:
        """Return what is emulated, behind the discipline's name."""
        return ["netem", *self.emulated()]

    @abstractmethod
    def emulated(self) -> Sequence[str]:
        """Return what is emulated."""

    def observe_effect(self, control: StackControl, state: PacketState, begun: object) -> str:
        """Return how many packets came through."""
        packets = self.passed(control, state)["packets"]
        return f"{packets} packets came through it" if packets else ""


def _devices(watchdog: Watchdog) -> list[str]:
    """Return the interfaces of the namespace, without the loopback one."""
    listed = json.loads(watchdog.run("ip", "-json", "link", "show", "up").output)
    return [link["ifname"] for link in listed if "LOOPBACK" not in link["flags"]]


def _queues(watchdog: Watchdog, state: PacketState) -> Iterator[Mapping[str, Any]]:
    """Yield the queues that were added, as tc tells them."""
    listed = json.loads(watchdog.run("tc", "-json", "-statistics", "qdisc", "show").output)
    yield from (q for q in listed if q.get("root") and q["handle"] == state["handle"])


def _removal(device: str, state: PacketState) -> Sequence[str]:
    return ["tc", "qdisc", "del", "dev", device, "root", "handle", state["handle"]]


@cache
def _tried(engine: Engine, image: str, discipline: tuple[str, ...]) -> ExecResult:
    """Return what the kernel says to a discipline in a network of nobody."""
    command = ["tc", "qdisc", "add", "dev", "lo", "root", *discipline]
    return engine.run_alone(image, command, {"HostConfig": {"CapAdd": ["NET_ADMIN"]}})
