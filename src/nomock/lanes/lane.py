"""The interface of a lane: one class a kind, one file a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar

from nomock.lanes.replica import forget
from nomock.stack import Postgres, Stack
from nomock.target import Container

Say = Callable[[str], None]


class Lane(ABC):
    """What one worker has of a stack: ``stack`` is what its tests use."""

    kind: ClassVar[str]
    """The name of the kind, in the setting ``lanes`` and in ``pytest.mark.lane``."""

    suffix: ClassVar[str]
    """What the name of its stack has, before its number, behind the name of the first."""

    begins_when: ClassVar[str] = "built"
    """What it waits for: that the images are "built", or that the first stack is "ready"."""

    is_own: ClassVar[bool] = True
    """Whether its worker makes it ready, and lets it go; else the controller does."""

    def __init__(self, main: Stack, number: int) -> None:
        """``main``: the stack of the settings; ``number``: which worker it is, from 1 on."""
        self.main = main
        self.number = number
        self.is_reset = False
        """Whether its database is to be as when it was made, and is brought back at the end."""

    @property
    def name(self) -> str:
        """The compose project's name of its stack."""
        return f"{self.main.name}-{self.suffix}{self.number}"

    @property
    def shares(self) -> str:
        """The name of the stack of which its tests use anything together with others."""
        return self.main.name

    @cached_property
    def stack(self) -> Stack:
        """The stack that the worker's tests use, not made ready by this.

        Raises ConfigError where the compose file allows of no second one.
        """
        return self._made()

    @property
    def is_made(self) -> bool:
        """Whether ``stack`` was asked for, and is there."""
        return "stack" in self.__dict__

    @property
    def own_postgres(self) -> Postgres | None:
        """The database that its tests use, where that is another one than its stack's own."""
        return None

    def has_data(self) -> bool:
        """Tell whether there are stores that can be asked: its own, or its database's server."""
        if self.own_postgres is None:
            return _runs(self.stack.containers())
        server = self.own_postgres.service.name
        return _runs(c for c in self.main.containers() if c.service == server)

    @abstractmethod
    def _made(self) -> Stack:
        """Return what ``stack`` is; raises as that does."""

    @classmethod  # noqa: B027 - most kinds have nothing to do then
    def begin(cls, main: Stack, emptied: Callable[[Postgres], None]) -> None:
        """In the controller: the first stack is ready, and no test of this run has used it yet.

        ``emptied`` takes out of a database what tests made: other runs may use that stack now.
        """

    def prepare(self, **how: Any) -> None:
        """Make it ready; ``how`` is what ``Stack.prepare`` takes, which raises the same."""
        self.stack.prepare(**how)

    def is_as_made(self) -> None:  # noqa: B027 - most kinds have made no data
        """Its database has been brought back: it holds what it did when this lane was made."""

    def remove(self, *, progress: Say, waiting: Say) -> None:
        """Take away what is this lane's alone; raises as ``Stack.down``."""
        self.stack.down(volumes=True, progress=progress, waiting=waiting)
        self.stack.close()
        forget(self.stack)


def _runs(containers: Iterable[Container]) -> bool:
    return any(container.state == "running" for container in containers)
