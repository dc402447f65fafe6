"""A stack of its own: the same services of the same images, in a compose project of its own.

What breaks in it is nobody else's, and two tests that break things never wait for each other.
"""

from __future__ import annotations

from nomock.lanes.lane import Lane
from nomock.lanes.replica import replica
from nomock.stack import Stack


class StackLane(Lane):
    """A replica of the stack, kept warm like the first."""

    kind = "stack"
    suffix = "lane"

    @property
    def shares(self) -> str:
        """Its own name: no other lane uses anything of it."""
        return self.name

    def _made(self) -> Stack:
        return replica(self.main, self.name)
