"""The workers of a run under pytest-xdist, as its controller sees them."""

from __future__ import annotations

import os
from functools import cached_property
from time import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # a run without workers needs none
    from nomock.plugin.mailbox import Mailbox

NUMBER = "nomock_worker"
"""What a worker finds in its input: its number, from 1 on."""
BEGAN = "nomock_began"
"""When the run began, in seconds since the epoch: it has its name by that."""
RUN_ID = "nomock_run_id"
"""The id of the run, which names of its data say."""
USED = "nomock_lanes"
"""What it leaves in its output: the stacks that were its own, by name, and since when."""


class Workers:
    """Numbers the workers, tells each where to leave word, and hears what each has had.

    Nothing is on disk before a worker leaves word.
    """

    def __init__(self) -> None:
        self.mailbox: Mailbox | None = None
        """Where the workers leave word; None without workers."""
        self.lanes: dict[str, float] = {}
        """The stacks that workers which have ended had of their own, and since when."""
        self._numbers: dict[Any, int] = {}
        self.began_s = time()
        """When the run began, in seconds since the epoch."""

    @cached_property
    def run_id(self) -> str:
        """The id of this run."""
        from nomock.names import new_run

        return new_run()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._numbers)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker the first number that is free, and tell it which process is the run."""
        from nomock.plugin.mailbox import Mailbox

        self.mailbox = self.mailbox or Mailbox.new()
        self.mailbox.give_to(node)
        taken = set(self._numbers.values())
        free = next(n for n in range(1, len(taken) + 2) if n not in taken)
        self._numbers[node] = node.workerinput[NUMBER] = free
        node.workerinput["nomock_run"] = os.getpid()
        node.workerinput[BEGAN] = self.began_s
        node.workerinput[RUN_ID] = self.run_id

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear which stacks a worker had; the next one may have its number."""
        self._numbers.pop(node, None)
        # One that crashed has none: which it had is not known then.
        self.lanes.update(getattr(node, "workeroutput", {}).get(USED, {}))

    def pytest_unconfigure(self) -> None:
        """Remove what the workers left."""
        if self.mailbox:
            self.mailbox.remove()
