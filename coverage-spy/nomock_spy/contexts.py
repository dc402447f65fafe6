"""Contexts: the test for which code runs, and what of the app ran in it so far."""

from __future__ import annotations

from collections import defaultdict
from contextvars import ContextVar

from nomock_spy.baggage import Origin


class Context:
    """What ran for one test in this process.

    The sets only grow: what was added to them while they are written down is found the next time.
    """

    __slots__ = ("arcs", "direct", "dirty", "lines", "number", "origin", "sizes", "written")

    def __init__(self, origin: Origin | None) -> None:
        self.origin = origin
        """None: start-up and background, no test."""
        self.lines: defaultdict[int, set[int]] = defaultdict(set)
        """The lines that ran, by the id of their code object."""
        self.arcs: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        """The branches that were taken, likewise."""
        self.dirty = False
        """Whether there may be something that is not written yet."""
        self.direct = True
        """Whether a line is written when it runs, as nothing says when it would be too late."""
        self.sizes: dict[int, int] = {}
        """How many lines of each code object are written."""
        self.written: dict[str, int] = {}
        """The lines that are written, by file: bit n is line n."""
        self.number: tuple[object, int] | None = None
        """The file of records that it was introduced in, and the number it has there."""


BACKGROUND = Context(None)
current: ContextVar[Context] = ContextVar("nomock_spy_context", default=BACKGROUND)
"""The context that code runs in: of this thread, this task, this greenlet."""
