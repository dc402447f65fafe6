"""Which contexts ran a line, and which lines ran only while a fault was on."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from nomock.baggage import test_and_fault
from nomock.coverage.affected.blocks import parse
from nomock.coverage.harvest.contexts import Contexts, statements
from nomock.errors import CoverageError


@dataclass(frozen=True)
class StatementRuns:
    """What ran a statement."""

    first: int
    last: int
    """Its lines; of a compound statement those of its head."""
    executable: bool
    contexts: frozenset[str]


def what_ran(contexts: Contexts, file: Path, line: int) -> StatementRuns:
    """Return what ran the statement at a line; raise CoverageError where there is no such line.

    A statement over several lines is one: which of its lines are reported is Python's affair.
    """
    source = _read(file)
    count = len(source.splitlines())
    if not 1 <= line <= count:
        raise CoverageError(
            f"there is no line {line}",
            where=str(file),
            seen=f"it has {count} lines",
            todo="name one of them: FILE:LINE",
        )
    first, last = _statement(source, line)
    by_line = contexts.by_line(file)
    ran = frozenset(c for n in range(first, last + 1) for c in by_line.get(n, ()))
    executable = bool(ran) or not statements(file).isdisjoint(range(first, last + 1))
    return StatementRuns(first, last, executable, ran)


@dataclass(frozen=True)
class Resilience:
    """The lines of a source file that tell how it takes faults."""

    only_under_fault: tuple[int, ...]
    """What ran while a fault was on, and at no other time."""
    handlers_not_run: tuple[int, ...]
    """The statements of ``except`` blocks that nothing has run."""


def resilience(contexts: Contexts, file: Path) -> Resilience:
    """Return how the tests tried a file's handling of faults; raise CoverageError for no Python."""
    by_line = contexts.by_line(file)
    executable = statements(file)  # says what is wrong with a source that cannot be parsed
    only = {n for n, ran in by_line.items() if all(test_and_fault(c)[1] for c in ran)}
    not_run = executable.intersection(_handler_lines(parse(_read(file)))) - by_line.keys()
    return Resilience(tuple(sorted(only & executable)), tuple(sorted(not_run)))


def as_ranges(lines: Iterable[int]) -> str:
    """Write sorted numbers of lines shortly.

    >>> as_ranges([1, 2, 3, 7])
    '1-3,7'
    """
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ",".join(f"{a}-{b}" if a != b else f"{a}" for a, b in ranges)


def _statement(source: bytes, line: int) -> tuple[int, int]:
    """Return the lines of the statement at a line, as coverage.py joins them: by their tokens."""
    first = None
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
    try:
        for token in tokenize.tokenize(BytesIO(source).readline):
            if token.type == tokenize.NEWLINE:
                if first is not None and first <= line <= token.start[0]:
                    return first, token.start[0]
                first = None
            elif first is None and token.type not in skipped:
                first = token.start[0]
    except (tokenize.TokenError, SyntaxError):
        pass  # that it is no Python, ``statements`` says better
    return line, line


def _handler_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            yield from range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CoverageError(
            "this source cannot be read", where=str(file), seen=error.strerror or ""
        ) from error
