"""A service reaches nobody, where no engine takes it off its networks."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.faults.packets.rules import DropFault


@dataclass(frozen=True, kw_only=True)
class Cut(DropFault):
    """All packets are dropped beside it: the part of ``isolate`` in a cluster.

    What stays in its pod goes on: its readiness probe, and the ports that are forwarded from there
    to the machine of the tests.
    """

    kind = "isolate"

    port: int | None = None

    def share(self) -> str:
        """Drop all."""
        return ""
