"""What two looks at the stores of a stack differ in, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

Place = tuple[str, str]
"""A kind, ``rows`` and the like, and where: a table, a key, whose connection."""

Look = Mapping[Place, tuple[int, int]]
"""Place -> how many are there, and a sum over what they hold: 0 where that is not looked at.

Both can be added and taken from each other, so that what a fixture has made can be told apart from
what a test has made.
"""

_WORDS = {
    "rows": ("row", "in"),
    "keys": ("key", "named"),
    "entries": ("entry", "in the queue"),
    "connections": ("connection", "of"),
}


@dataclass(frozen=True)
class Leak:
    """What is more, less or other in one place."""

    kind: str
    where: str
    count: int
    """How many more; below 0 how many fewer; 0 where as many are others."""

    def __str__(self) -> str:
        word, at = _WORDS[self.kind]
        words = word if abs(self.count) == 1 else f"{word.removesuffix('y')}{_plural(word)}"
        if not self.count:
            return f"changed {_WORDS[self.kind][0]}s {at} {self.where}"
        if self.kind == "connections":
            return f"left {self.count} {words} {at} {self.where} open"
        if self.count < 0:
            return f"took away {-self.count} {words} {at} {self.where} that it had found"
        return f"left {self.count} {words} {at} {self.where}"


def minus(after: Look, before: Look) -> dict[Place, tuple[int, int]]:
    """Return what is more in one look than in another, without what is equal."""
    found = {}
    for place in {**before, **after}:
        (count, content), (old_count, old_content) = (
            after.get(place, (0, 0)),
            before.get(place, (0, 0)),
        )
        if (count, content) != (old_count, old_content):
            found[place] = count - old_count, content - old_content
    return found


def plus(one: Look, other: Look) -> dict[Place, tuple[int, int]]:
    """Return the sum of two."""
    return minus(one, {place: (-count, -content) for place, (count, content) in other.items()})


def leaks_of(difference: Look, ignored: tuple[str, ...] = ()) -> list[Leak]:
    """Return a difference as leaks, without those of patterns that are to be ignored.

    What nobody has any more, a connection that was closed, is none.
    """
    return [
        Leak(kind, where, count)
        for (kind, where), (count, _) in sorted(difference.items())
        if not any(fnmatchcase(where, pattern) for pattern in ignored)
        and not (kind == "connections" and count <= 0)
    ]


def _plural(word: str) -> str:
    return "ies" if word.endswith("y") and word != "key" else "ys" if word == "key" else "s"
