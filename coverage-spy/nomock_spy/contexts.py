"""Contexts: the test for which code runs, and what of the app ran in it so far."""

from __future__ import annotations

from collections import defaultdict
from contextvars import ContextVar

from nomock_spy.baggage import Origin

Arc = tuple[int, int]
"""From a line to a line; to a negative one: out of the code that begins at that line."""


class Context:
    """What ran for one test in this process."""

    __slots__ = ("branches", "direct", "fresh", "fresh_arcs", "lines", "number", "origin")

    def __init__(self, origin: Origin | None) -> None:
        self.origin = origin
        """None: start-up and background, no test."""
        self.lines: defaultdict[str, set[int]] = defaultdict(set)
        """The lines that ran, by the file name of their code."""
        self.fresh: defaultdict[str, list[int]] = defaultdict(list)
        """Those of them that are not written yet."""
        self.branches: defaultdict[str, set[tuple[int, str, int, int]]] = defaultdict(set)
        """The branches that were taken, by file: the code's begin and name, and two offsets."""
        self.fresh_arcs: defaultdict[str, list[Arc]] = defaultdict(list)
        """What those of them that are not written yet mean for lines, by file."""
        self.direct = True
        """Whether a line is written when it runs, as nothing says when it would be too late."""
        self.number: tuple[object, int] | None = None
        """The file of records that it was introduced in, and the number it has there."""


BACKGROUND = Context(None)
current: ContextVar[Context] = ContextVar("nomock_spy_context", default=BACKGROUND)
"""The context that code runs in: of this thread, this task, this greenlet."""
