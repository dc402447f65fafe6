"""Contexts: the test for which code runs, and what of the app ran in it so far."""

from __future__ import annotations

from contextvars import ContextVar

from nomock_spy.baggage import Origin
from nomock_spy.hints import defaultdict

Arc = tuple[int, int]
"""From a line to a line; to a negative one: out of the code that begins at that line."""
Branch = tuple[int, str, int, int]
"""The first line and the name of a piece of code, and the offsets of a branch in it."""


class Context:
    """What ran for one test in this process."""

    __slots__ = (
        *("branches", "write_through", "fresh", "lines", "number", "origin"),
        *("flushed_branches", "flushed_lines", "is_flushing", "mutants", "mutants_until_s"),
    )

    def __init__(self, origin: Origin | None) -> None:
        self.origin = origin
        """None: start-up and background, no test."""
        # Dictionaries for their order, and for one step that tells and remembers: these only grow,
        # and what is behind the number that was flushed is new.
        self.lines: defaultdict[str, dict[int, None]] = defaultdict(dict)
        """The lines that ran, by the file name of their code."""
        self.branches: defaultdict[str, dict[Branch, tuple[Arc, ...]]] = defaultdict(dict)
        """The branches that were taken, likewise, with what they mean for lines."""
        self.flushed_lines: dict[str, int] = {}
        """How many lines of each file were flushed."""
        self.flushed_branches: dict[str, int] = {}
        """How many branches of each file were flushed."""
        self.write_through = True
        """Whether a line is written when it runs, as nothing says when it would be too late."""
        self.fresh = False
        """Whether something ran that was not written at once, since the last flush began."""
        self.is_flushing = False
        """Whether a thread writes what it found, and may not be done."""
        self.number: tuple[object, int] | None = None
        """The file of records that it was introduced in, and the number it has there."""

        self.mutants: tuple[int, ...] = ()
        """The numbers of the mutants that are on for it, as ``mutants`` has them."""
        self.mutants_until_s = 0.0
        """When they are off again, in seconds since the epoch."""

    here: Context
    """Of BACKGROUND: the context that code runs in, as ``current`` has it, without a call."""


BACKGROUND = Context(None)
current: ContextVar[Context] = ContextVar("nomock_spy_context", default=BACKGROUND)
"""The context that code runs in: of this thread, this task, this greenlet."""
# It is declared as what it gives.
Context.here = property(current.get)  # type: ignore[assignment]
inherited: ContextVar[Context] = ContextVar("nomock_spy_inherited", default=BACKGROUND)
"""The context that this thread was started in."""
