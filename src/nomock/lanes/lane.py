"""The interface of a lane: one class a kind, one file a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from nomock.stack import Stack


class Lane(ABC):
    """What one worker has of a stack: ``stack`` is what its tests use."""

    kind: ClassVar[str]
    """The name of the kind, in the setting ``lanes`` and in ``pytest.mark.lane``."""

    suffix: ClassVar[str]
    """What the name of its stack has, before its number, behind the name of the first."""

    def __init__(self, main: Stack, number: int) -> None:
        """``main``: the stack of the settings; ``number``: which worker it is, from 1 on."""
        self.main = main
        self.number = number

    @property
    def name(self) -> str:
        """The compose project's name of its stack."""
        return f"{self.main.name}-{self.suffix}{self.number}"

    @property
    @abstractmethod
    def stack(self) -> Stack:
        """The stack that the worker's tests use, not made ready by this.

        Raises ConfigError where the compose file allows of no second one.
        """

    def prepare(self, **how: Any) -> None:
        """Make it ready; ``how`` is what ``Stack.prepare`` takes, which raises the same."""
        self.stack.prepare(**how)
