"""Faults on packets that are a queueing discipline of what a service sends."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import randbelow
from typing import Any

from nomock.faults.fault import Fault
from nomock.faults.packets.common import NO_PROGRAM, PacketFault, PacketState
from nomock.faults.stack_control import StackControl
from nomock.faults.watchdog import Undo, Watchdog

# What tc says of a kind that the kernel does not have: today, and in earlier versions.
_UNKNOWN = ("qdisc kind is unknown", "No such file or directory")


@dataclass(frozen=True, kw_only=True)
class QdiscFault(PacketFault):
    """Changes how the packets that a service sends are queued, on each of its interfaces.

    An interface has one such queue: a second fault of these kinds on one service is refused, and a
    service that sets one itself cannot have any.
    """

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict all others that need the queue."""
        return isinstance(other, QdiscFault) and self.service == other.service

    def note(self, control: StackControl, state: PacketState) -> None:
        """Choose a handle, by which what it adds is found again."""
        state["handle"] = f"{0x1000 + randbelow(0xE000):x}:"

    def rehearse(self, watchdog: Watchdog, state: PacketState) -> None:
        """Do nothing: an interface has to be changed to try it."""

    @abstractmethod
    def discipline(self) -> Sequence[str]:
        """Return it as tc takes it."""

    def apply(self, watchdog: Watchdog, state: PacketState) -> None:
        """Add the queue to each interface; a kernel that has none of its kind changes nothing.

        Raises WatchdogError where there is no tc, NotPossibleError where the kernel refuses.
        """
        queue = ["root", "handle", state["handle"], *self.discipline()]
        for device in _devices(watchdog):
            done = watchdog.run("tc", "qdisc", "add", "dev", device, *queue)
            if done.exit_code == NO_PROGRAM:
                raise self.lacking("tc")
            if any(words in done.output for words in _UNKNOWN):
                raise self.not_possible(f"the kernel has no sch_{queue[3]}", done.output)
            if done.exit_code:
                raise self.failed(["tc", "qdisc", "add", "dev", device, *queue], done)

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
