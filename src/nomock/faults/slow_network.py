"""Each edge of a stack slower than it is, for a whole run: no test has asked for it.

It takes nothing alone, as a test's fault would: that tests meet it, side by side, is what it is
for. A test may put its own faults on the same edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from nomock.faults.edge.common import EdgeState
from nomock.faults.edge.latency import Latency
from nomock.faults.journal import Journal
from nomock.faults.stack_control import StackControl
from nomock.faults.topology import proxies
from nomock.stack import Stack

# Longer than any run: it ends with the run, or is healed by the next one.
_EXPIRES_S = 24 * 3600.0


@contextmanager
def slow_network(stack: Stack, latency_ms: int) -> Iterator[list[str]]:
    """Hold back what passes any edge for latency_ms in the block; give the names of the edges.

    They are none where the stack has no Toxiproxy. Raises FaultError.
    """
    if not proxies(stack.project):
        yield []
        return
    with ExitStack() as on:
        control = on.enter_context(closing(StackControl(stack)))
        journal = on.enter_context(closing(Journal(stack.settings.state_dir, stack.name)))
        names = sorted(control.edges)
        for edge in names:
            fault = Latency(edge, latency_ms=latency_ms, expires_s=_EXPIRES_S)
            fault.validate(control)
            state = fault.prepare(control)
            number = journal.on(fault, state, "nomock flaky --hunt", engine=control.engine_id)
            on.callback(_heal, fault, control, state, journal, number)
            fault.begin(control, state)
        yield names


def _heal(
    fault: Latency, control: StackControl, state: EdgeState, journal: Journal, number: int
) -> None:
    fault.heal(control, state)
    journal.off(number)  # where it did not heal the next run tries again
