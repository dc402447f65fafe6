"""A mutant: one span of a module's text with another text in its place."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from nomock.errors import MutationError
from nomock.mutation.sourcetext import line_starts


@dataclass(frozen=True)
class Mutant:
    """One small defect of a module, as a change of its text.

    Lines begin at 1 and columns at 0, as in Python's ``ast``; but columns count characters, not
    bytes. ``end_line`` and ``end_column`` are behind the last character that changes.
    """

    id: str
    """Ten hexadecimal digits, made of all that follows but the place, and of the text of the lines:
    the same as long as these lines are in this function, whatever changes elsewhere."""
    path: str
    """The file, relative to the project, with ``/``."""
    qualname: str
    """The innermost function that has the change, as ``Class.method`` or ``outer.inner``, without
    ``<locals>``; "" for what an import of the module runs, class bodies and defaults too."""
    line: int
    column: int
    end_line: int
    end_column: int
    operator: str
    """The name of the operator that made it."""
    original: str
    replacement: str

    def meets(self, other: Mutant) -> bool:
        """Tell whether another one changes some of the same text, so that only one can be there."""
        if self.path != other.path:
            return False
        begin, end = (self.line, self.column), (self.end_line, self.end_column)
        others = (other.line, other.column), (other.end_line, other.end_column)
        return begin == others[0] or (begin < others[1] and others[0] < end)

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}"
        return f"{self.id} {place} {self.operator}: {self.original} -> {self.replacement}"


def mutate(source: str, *mutants: Mutant) -> str:
    """Return the whole text of a module with mutants in it; its lines keep their numbers.

    No two of them may meet. Raises MutationError where a mutant's text does not stand at its place
    of this source.
    """
    changes = sorted((*_offsets(source, mutant), mutant.replacement) for mutant in mutants)
    for begin, end, replacement in reversed(changes):
        source = f"{source[:begin]}{replacement}{source[end:]}"
    return source


def diff(source: str, mutant: Mutant, *, context: int = 2) -> str:
    """Return what a mutant changes as a unified diff, with as many lines of context."""
    mutated = mutate(source, mutant)
    lines = difflib.unified_diff(
        _lines(source), _lines(mutated), mutant.path, mutant.path, n=context, lineterm=""
    )
    return "\n".join(lines)


def _offsets(source: str, mutant: Mutant) -> tuple[int, int]:
    starts = line_starts(source)
    if mutant.end_line <= len(starts):
        begin = starts[mutant.line - 1] + mutant.column
        end = starts[mutant.end_line - 1] + mutant.end_column
        if source[begin:end] == mutant.original:
            return begin, end
    raise MutationError(
        "the file is not the one that the mutant was made from",
        where=f"mutant {mutant.id} at {mutant.path}:{mutant.line}",
        seen=f"not there: {mutant.original}",
        todo="run again: mutants are made from the files as they are",
    )


def _lines(source: str) -> list[str]:
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
