"""The interface of a kind of test data: one class a kind of store, one file a class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar

from nomock.errors import CleanupError


@dataclass(frozen=True)
class Found:
    """What the tests of one run left in one place."""

    kind: str
    """What it is: rows, keys, or things that a service deletes itself."""
    where: str
    """The table, the pattern of the keys, the path."""
    run: str
    """The id of the run, by the name of what was left; "" where that says none."""
    count: int
    example: str
    """The name of one of them."""


@dataclass(frozen=True)
class Trouble:
    """What could not be looked at, or removed, and why."""

    where: str
    what: str
    seen: str
    todo: str = ""

    def __str__(self) -> str:
        todo = self.todo or (
            "mend what it says there, or remove them as your application does; then again: nomock "
            "cleanup --remove goes on with what is left"
        )
        return str(CleanupError(self.what, where=self.where, seen=self.seen, todo=todo))


@dataclass
class Removed:
    """What a removal came to: it goes on past what is refused."""

    count: int = 0
    troubles: list[Trouble] = field(default_factory=list)


class Kind(ABC):
    """One kind of test data of a stack."""

    name: ClassVar[str]
    """What ``Found.kind`` says, in the plural."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        """What ``look`` could not look at, beside what it found."""

    @abstractmethod
    def look(self) -> list[Found]:
        """Return what tests left; raise NomockError where none of that can be looked at."""

    @abstractmethod
    def remove(self, runs: Collection[str]) -> Removed:
        """Remove what the tests of some runs left, "" for what names none; raise NomockError.

        What was removed before an error is gone: to call this again goes on from there.
        """
