"""A port is blocked, as by a firewall that says nothing."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.packets.rules import DropFault


@dataclass(frozen=True, kw_only=True)
class PacketBlock(DropFault):
    """No packet from or to a port gets through: a call of it waits until it times out."""

    kind = "packet_block"

    port: int

    def share(self) -> str:
        """Drop all."""
        return ""
