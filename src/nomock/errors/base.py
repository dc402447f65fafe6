"""The base of all errors, with its four parts."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from nomock.errors.words import in_words


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "name one of them") -> str:
    """Return what to do about a name that there is not: the one that is nearest to it, if any is.

    >>> did_you_mean("postgers", ["postgres", "redis"])
    "did you mean 'postgres'?"
    """
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise


class NomockError(Exception):
    """The base of all errors: four parts as attributes, one text made of them.

    ``what`` and ``where`` are never empty. ``seen`` is what was last observed, several lines at
    the most; ``todo`` is the next command or change.
    """

    def __init__(self, what: str, *, where: str, seen: str = "", todo: str = "") -> None:
        super().__init__(what, where, seen, todo)
        self.what = what
        self.where = where
        self.seen = seen
        self.todo = todo

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}"]
        if self.seen:
            lines += [f"  {line}" for line in self.seen.rstrip().splitlines()]
        if self.todo:
            lines.append(f"-> {in_words(self.todo)}")
        return "\n".join(lines)
