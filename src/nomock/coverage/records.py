"""How the records of a covered run come into the folder of this machine.

On the container engine the folder is mounted, so that spies write there themselves; in a sandbox it
is in the pods, and what is written there is copied while they run.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from nomock.coverage.harvest import prepare
from nomock.coverage.harvest.copies import Copies
from nomock.coverage.session import covered, data_dir
from nomock.errors import CoverageError
from nomock.stack import Stack
from nomock.stack.promoted import promoting

if TYPE_CHECKING:  # of an extra, which a run on compose does without
    from nomock.coverage.following import Following
    from nomock.target import Container


class Records(Protocol):
    """What a run does so that records of its stack are here."""

    @property
    def told(self) -> str | None:
        """The run that the services were started for, by their environment; None: this one."""

    def begin(self) -> None:
        """Begin the run, once the stack is ready. Raises NomockError."""

    def end(self) -> None:
        """Have all that is written by now here. Raises NomockError."""


class Mounted:
    """Of a stack that writes them here itself: nothing is to be done."""

    told = None

    def begin(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class Copied:
    """Of a sandbox."""

    told = ""

    def __init__(self, stack: Stack, run: str) -> None:
        self._stack = stack
        self._run = run
        self._following: Following | None = None

    def begin(self) -> None:
        """Take what the pods have written since they began, and follow what they write.

        Raises CoverageError where services have no spy.
        """
        from nomock.adapters.kubernetes import Pods
        from nomock.coverage.following import Following

        target, folder = self._stack.target, data_dir(self._stack.settings)
        assert isinstance(target, Pods), "it is a sandbox"
        services = covered(self._stack)
        self._check([c for c in self._stack.containers() if c.service in services])
        prepare(folder, self._run)
        self._following = Following(target.collectors, Copies(folder, self._run))
        self._following.begin()

    def end(self) -> None:
        """Take the rest."""
        if self._following is not None:
            self._following.end()

    def _check(self, containers: Collection[Container]) -> None:
        """Raise CoverageError where the sandbox was promoted without the spy."""
        target = self._stack.target
        without = []
        for container in containers:
            started = target.container_config(container.id)
            if started is not None and "NOMOCK_SPY_OUT" not in started.environment:
                without.append(container.service)
        if without:
            raise CoverageError(
                "the sandbox was promoted without the spy",
                where=f"stack {self._stack.name}",
                seen=f"services without one: {', '.join(sorted(set(without)))}",
                todo=promoting(self._stack.settings),
            )


def records_of(stack: Stack, run: str) -> Records:
    """Return what a run does so that the records of its stack are here."""
    return Copied(stack, run) if stack.settings.target == "sandbox" else Mounted()
