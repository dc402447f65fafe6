"""What a run of ``nomock flaky --hunt`` does to its stacks beside what its tests do."""

from __future__ import annotations

from contextlib import ExitStack

from nomock.hunting import conditions
from nomock.stack import Stack


class Hunted:
    """Makes the network of each stack slow, where the run is to have it so."""

    def __init__(self) -> None:
        self._slow = ExitStack()
        self._stacks: set[str] = set()

    def begin(self, stack: Stack) -> None:
        """Make the edges of a stack slow, once; raise FaultError.

        It is for the process that made the stack ready, which outlives all that share it.
        """
        latency_ms = conditions().latency_ms
        if not latency_ms or stack.name in self._stacks:
            return
        from nomock.faults.slow_network import slow_network

        self._stacks.add(stack.name)
        self._slow.enter_context(slow_network(stack, latency_ms))

    def end(self) -> None:
        """Make the edges as fast as they were; raise FaultError."""
        self._slow.close()
