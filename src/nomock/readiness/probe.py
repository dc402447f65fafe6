"""The interface of a readiness probe: one file with one class for each kind of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nomock.target import Container


@dataclass(frozen=True)
class ProbeAnswer:
    """A probe's yes or no, and what it saw."""

    ready: bool
    seen: str


Listens = Callable[[Container, int], bool | None]
"""Whether something in a container listens on a port of it; None where that is not known."""


class Probe(Protocol):
    """One question with a yes or no answer, asked of a running container."""

    @property
    def port(self) -> int | None:
        """The port in the container that it asks, None where it asks none."""

    def ask(self, container: Container, *, sure: bool) -> ProbeAnswer:
        """Ask once and return at once; a probe never waits and never raises for a "no".

        With ``sure`` it may say "no" until it has been asked for some time, if only that shows a
        "yes" to be true; without, one look at a stack that was ready before has to do.
        """
        ...
