"""Faults on packets that are rules of nftables, which nearly every kernel has."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from nomock.faults.fault import Direction, Fault, whole_number, wrong
from nomock.faults.packets.common import NO_PROGRAM, PacketFault, PacketState
from nomock.faults.stack_control import StackControl
from nomock.faults.watchdog import Undo, Watchdog

_TABLE = """
table inet {name} {{
    counter met {{ }}
    counter dropped {{ }}
    chain packets {{
        counter name met
        {share} counter name dropped drop
    }}
    {chains}
}}
"""
# The loopback interface has what the container says to itself, and to its resolver.
_CHAINS = {
    "to": ("input", 'iifname != "lo"'),
    "from": ("output", 'oifname != "lo"'),
}
_SIDES = ("sport", "dport")
_COUNTER = re.compile(r"counter (\w+) \{\s*packets (\d+)")


@dataclass(frozen=True, kw_only=True)
class DropFault(PacketFault):
    """Drops packets that a service receives or sends, a share of them or all.

    One that leaves is dropped before it does: TCP sends it again, as it would if it were lost on
    its way, but the sender of a UDP datagram is told (EPERM).
    """

    port: int | None
    """Only packets from or to this port, on either side; None: all."""
    direction: Direction = "both"

    @property
    def name(self) -> str:
        """Which kind, of what, and at which port."""
        return super().name + ("" if self.port is None else f":{self.port}")

    def validate_kind(self, control: StackControl) -> None:
        """Raise ConfigError for a port or a direction that cannot be."""
        super().validate_kind(control)
        if self.port is not None:
            whole_number(self, "port", least=1, most=65535)
        if self.direction not in ("to", "from", "both"):
            raise wrong(self, "direction", self.direction, 'it is "to", "from" or "both"')

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict the same kind at the same port; others each drop their own share."""
        return (
            super().conflicts_with(other)
            and isinstance(other, DropFault)
            and self.port == other.port
        )

    @abstractmethod
    def share(self) -> str:
        """Return the condition on which a packet is dropped, as nft takes it."""

    def meant(self, state: PacketState, way: str) -> Sequence[str]:
        """Return conditions, as nft takes them, of which one holds for the packets it is about.

        ``way``: "to" for those that the service receives, "from" for those that it sends.
        """
        if self.port is None:
            return [""]
        return [f"meta l4proto {{ tcp, udp }} th {side} {self.port}" for side in _SIDES]

    def rehearse(self, watchdog: Watchdog, state: PacketState) -> None:
        """Let nft and the kernel look at the rules."""
        done = watchdog.run("nft", "--check", "-f", "-", input=self._table(state))
        if done.exit_code == NO_PROGRAM:
            raise self.lacking("nft")
        if done.exit_code:
            raise self.not_possible("the kernel does not take its rules", done.output)

    def apply(self, watchdog: Watchdog, state: PacketState) -> None:
        """Add a table with the rules."""
        self.run(watchdog, "nft", "-f", "-", input=self._table(state))

    def revert(self, watchdog: Watchdog, state: PacketState) -> None:
        """Take the table away."""
        self.run(watchdog, "nft", "-f", "-", input=_without_table(state))

    def undo(self, watchdog: Watchdog, state: PacketState) -> Sequence[Undo]:
        """Return the step by which the watchdog takes the table away."""
        return [{"command": ["nft", "-f", "-"], "input": _without_table(state)}]

    def observe_effect(self, control: StackControl, state: PacketState, begun: object) -> str:
        """Return how many packets were dropped."""
        watchdog = control.watchdog(self.beside(control))
        listed = watchdog.run("nft", "list", "counters", "table", "inet", state["name"])
        if listed.exit_code:
            raise self.gone(watchdog, state)
        counted = {name: int(packets) for name, packets in _COUNTER.findall(listed.output)}
        if not counted["dropped"]:
            return ""
        return f"{counted['dropped']} of {counted['met']} packets were dropped"

    def _table(self, state: PacketState) -> str:
        chains = [
            f"chain {hook} {{ type filter hook {hook} priority filter; "
            + "".join(f"{outside} {one} jump packets; " for one in self.meant(state, way))
            + "}"
            for way, (hook, outside) in _CHAINS.items()
            if self.direction in (way, "both")
        ]
        return _TABLE.format(name=state["name"], share=self.share(), chains="\n".join(chains))


def _without_table(state: PacketState) -> str:
    # Added first, so that it is no error where it is not there.
    return "add table inet {name}\ndelete table inet {name}\n".format(**state)
