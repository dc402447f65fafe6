"""What becomes of a key of a compose file: one of three fates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Becomes:
    """It has a translation."""

    what: str
    """What it becomes, in Kubernetes' words."""


@dataclass(frozen=True)
class Same:
    """There is nothing to translate, and nothing is lost."""

    why: str


@dataclass(frozen=True)
class Lost:
    """It has no translation: it stands in the report."""

    why: str
    meaning: str


Fate = Becomes | Same | Lost

Decide = Callable[[Any, Any], Lost | None]
"""Returns what is lost of a value, None where nothing is; asked with the value, and with what is
known of its service."""


@dataclass(frozen=True)
class Entry:
    """A row of the table: what becomes of a key, and what is lost of some of its values."""

    fate: Fate
    unless: Decide | None = None
    """Tells the values that are lost nevertheless; of a list it is asked for each item."""
    exception: str = ""
    """Which values these are, in words."""

    def of(self, value: Any, known: Any) -> Fate:
        """Return what becomes of one value."""
        return (self.unless(value, known) if self.unless else None) or self.fate


def becomes(what: str, unless: Decide | None = None, exception: str = "") -> Entry:
    """Return the row of a key that has a translation, and of which some values may have none."""
    return Entry(Becomes(what), unless, exception)


def same(why: str, unless: Decide | None = None, exception: str = "") -> Entry:
    """Return the row of a key of which nothing is lost, but for some of its values."""
    return Entry(Same(why), unless, exception)


def lost(why: str, meaning: str) -> Entry:
    """Return the row of a key that has no translation."""
    return Entry(Lost(why, meaning))
