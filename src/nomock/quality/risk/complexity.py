"""How complex a source is: McCabe's number of each function, one more than its decisions.

T. J. McCabe, IEEE Transactions on Software Engineering SE-2 (1976). By Python's own syntax tree:
what reads many languages knows less of each, and is a dependency more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nomock.coverage.affected.blocks import parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DECISIONS = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.Assert,
    ast.match_case,
    ast.comprehension,
)


@dataclass(frozen=True)
class Function:
    """A function, or the module outside of them as ""."""

    name: str
    complexity: int
    first: int
    last: int
    """Its lines; those of functions in it are theirs, too."""


def functions_of(source: bytes) -> list[Function]:
    """Return the functions of a source, and what is outside of them where it decides anything.

    Raises SyntaxError and ValueError for what is no Python.
    """
    tree = parse(source)
    found = [*_functions(tree, "")]
    if outside := _decisions(tree):
        found.append(Function("", outside, 1, len(source.splitlines())))
    return found


def _functions(node: ast.AST, prefix: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if isinstance(child, _Function):
                last = child.end_lineno or child.lineno
                yield Function(name, 1 + _decisions(child), child.body[0].lineno, last)
            yield from _functions(child, f"{name}.")
        else:
            yield from _functions(child, prefix)


def _decisions(node: ast.AST) -> int:
    """Count the decisions below a node, not those of functions in it."""
    count = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            continue
        if isinstance(child, ast.BoolOp):
            count += len(child.values) - 1
        if isinstance(child, ast.comprehension):
            count += len(child.ifs)
        count += isinstance(child, _DECISIONS)
        count += _decisions(child)
    return count
