"""The browser's pages of the test that runs, for its evidence: whoever has some says how to look.

As with exchanges one test at a time runs in a process, so that one book is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST_LINES = 200
"""Of a console that says more, the first."""


@dataclass(frozen=True)
class ConsoleLine:
    """What a page wrote to its console, or an error that nothing in it caught."""

    at_s: float
    """By the monotonic clock."""
    level: str
    text: str


@dataclass(frozen=True)
class PageSeen:
    """A page as it was when the test failed."""

    url: str
    title: str
    picture: bytes
    """A JPEG; empty where none could be taken."""
    console: tuple[ConsoleLine, ...]


Look = Callable[[], list[PageSeen]]

_looks: list[Look] = []


@contextmanager
def looking(look: Look) -> Iterator[None]:
    """Have ``look`` asked for its pages as long as the block runs."""
    _looks.append(look)
    try:
        yield
    finally:
        _looks.remove(look)


def seen_pages() -> list[PageSeen]:
    """Return the pages that are open, as they are now."""
    return [page for look in _looks for page in look()]
