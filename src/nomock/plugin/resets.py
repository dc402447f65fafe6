"""Brings the database back before each test that wants it to be as it was when the run began.

Only where it is this process's own: where each worker has a database or a stack, or where no other
worker and no other run uses the stack.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from nomock.errors import ConfigError, NomockError, SnapshotError
from nomock.plugin.items import lane_of, needs_stack_of_run, wants_reset

if TYPE_CHECKING:  # loaded once a test wants it
    from nomock.database.snapshot import Snapshot
    from nomock.lanes.lane import Lane
    from nomock.stack import Stack


class Resets:
    """What one pytest process does about resets; nothing where no test wants one."""

    def __init__(self, *, workers: int) -> None:
        """``workers``: of how many this is one; 0 without xdist."""
        self._workers = workers
        self._bases: dict[str, tuple[Lane, Snapshot]] = {}
        self._took_ms: list[float] = []
        self.is_wanted = False
        """Whether a test of this process wants one."""

    def collected(self, items: Iterable[pytest.Item]) -> None:
        """See which tests want one; raise ConfigError where one cannot have it."""
        for item in items:
            if not (needs_stack_of_run(item) and wants_reset(item)):
                continue
            self.is_wanted = True
            if self._workers > 1 and lane_of(item) == "shared":
                raise ConfigError(
                    "its database cannot be reset: all workers share it, and each would take the "
                    "rows of the others away",
                    where=item.nodeid,
                    seen=f"{self._workers} workers, lanes = 'shared'",
                    todo="let each worker have a database of its own: --nomock-lanes database (or "
                    "stack); or run without -n",
                )

    def ready(self, lane: Lane) -> None:
        """A lane's stack is ready: keep what its database holds, before any test uses it."""
        if self.is_wanted and lane.name not in self._bases:
            self._refuse_others(lane.stack)
            self._bases[lane.name] = lane, lane.stack.postgres.snapshot()

    def before(self, item: pytest.Item, lane: Lane) -> None:
        """Bring the database back for a test: to the snapshot that was taken last.

        The first test of a lane finds it so.
        """
        if lane.name not in self._bases or not wants_reset(item):
            return
        self._refuse_others(lane.stack)
        began = perf_counter()
        lane.stack.postgres.restore()
        self._took_ms.append(1e3 * (perf_counter() - began))

    def end(self) -> list[str]:
        """Bring all back to what the run found; return what there is to say."""
        said = []
        for lane, base in self._bases.values():
            try:
                base.restore()
                base.drop()
                lane.is_as_made()
            except NomockError as error:
                said.append(str(error))
        if self._took_ms:
            said.append(
                f"the database was reset {len(self._took_ms)} times, "
                f"in {median(self._took_ms):.0f} ms (median; at most {max(self._took_ms):.0f} ms)"
            )
        return said

    def _refuse_others(self, stack: Stack) -> None:
        if others := stack.holding.others():
            raise SnapshotError(
                "it is not reset while others use it",
                where=f"the database of stack {stack.name}",
                seen=others,
                todo="let them end, or use a stack of your own: --nomock-stack-project NAME",
            )
