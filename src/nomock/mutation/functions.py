"""What the spy is told of a module's mutants: each function's text, as it is and with each mutant.

The spy compiles them side by side in the running service (``coverage-spy/nomock_spy/mutants``), so
what is told is text that a Python of any version reads for itself. Only what runs when a function
is called can be changed in that way; of the rest, what an import runs, a process is told as it
starts.
"""

from __future__ import annotations

import ast
import warnings
from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from nomock.mutation.mutant import Mutant, mutate
from nomock.mutation.sourcetext import line_starts

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Told:
    """The mutants of a module, as the spy is told of them."""

    module: str
    """What the spy knows the module by: the sum and the size of its source."""
    functions: dict[str, Any]
    """What the spy reads of the module: ``told.py`` of the spy's mutants has the shape."""
    numbers: dict[str, int]
    """The number of each mutant that can be on for single requests, by its id."""
    at_import: tuple[Mutant, ...]
    """The mutants that have to be there when a process imports the module."""

    @cached_property
    def rows(self) -> dict[int, int]:
        """The number of the first mutant of its outermost function, by the number of each."""
        found: dict[int, int] = {}
        for function in self.functions["functions"]:
            numbers = [mutant["number"] for mutant in function["mutants"]]
            found.update(dict.fromkeys(numbers, min(numbers)))
        return found


def module_of(source: bytes) -> str:
    """Return what the spy knows a module by, from its source as it is in the file."""
    return f"{crc32(source):08x}-{len(source)}"


def told_of(path: str, source: bytes, text: str, mutants: Sequence[Mutant], first: int) -> Told:
    """Return what the spy is told of a module.

    ``text`` is the decoded ``source``. The mutants are numbered from ``first`` on, those of a
    function in one row.
    """
    functions: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    left = {mutant.id: mutant for mutant in mutants}
    for outermost, classes in _outermost(_parsed(text)):
        span = _lines(outermost)
        told = []
        for within, qualname, node in _with_names(outermost, classes):
            body = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
            for mutant in mutants:
                if mutant.qualname != qualname or mutant.line not in body:
                    continue
                mutated = _cut(mutate(text, mutant), span)
                if not _has_same_functions(mutated, outermost):
                    continue
                number = first + len(numbers)
                numbers[mutant.id] = number
                left.pop(mutant.id, None)
                told.append({"number": number, "within": within, "text": mutated})
        if told:
            about = {"text": _cut(text, span), "first": span[0], "classes": classes}
            functions.append({**about, "mutants": told})
    name = PurePosixPath(path).name
    return Told(
        module_of(source),
        {"name": name, "path": path, "functions": functions},
        numbers,
        tuple(left.values()),
    )


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _outermost(tree: ast.Module) -> list[tuple[_Function, list[str]]]:
    """Return the functions that are in no other one, each with the classes it is in."""
    found: list[tuple[_Function, list[str]]] = []

    def look(node: ast.AST, classes: list[str]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _Function):
                found.append((child, classes))
            elif isinstance(child, ast.ClassDef):
                look(child, [*classes, child.name])
            elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                look(child, classes)

    look(tree, [])
    return found


def _with_names(outermost: _Function, classes: list[str]) -> list[tuple[int, str, _Function]]:
    """Return a function and those within it: place in the order of their texts, name, node."""
    found: list[tuple[str, _Function]] = []

    def look(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            inside = prefix
            if isinstance(child, _Function | ast.ClassDef):
                inside = f"{prefix}{child.name}."
                if isinstance(child, _Function):
                    found.append((inside[:-1], child))
            look(child, inside)

    name = ".".join([*classes, outermost.name])
    found.append((name, outermost))
    look(outermost, f"{name}.")
    found.sort(key=lambda one: (one[1].lineno, one[1].col_offset))
    return [(at, qualname, node) for at, (qualname, node) in enumerate(found)]


def _lines(node: _Function) -> tuple[int, int]:
    """Return the first and the last line of a function, its decorators included."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _cut(text: str, span: tuple[int, int]) -> str:
    starts = [*line_starts(text), len(text)]
    return text[starts[span[0] - 1] : starts[span[1]]]


def _has_same_functions(text: str, outermost: _Function) -> bool:
    """Tell whether some lines are one function, with as many within it as there were."""
    if text[:1] in {" ", "\t", "\f"}:
        text = f"if 1:\n{text}"
    try:
        tree = _parsed(text)
    except (SyntaxError, ValueError):  # a backslash, or a string, that goes on beyond the line
        return False
    functions = [sum(isinstance(n, _Function) for n in ast.walk(t)) for t in (tree, outermost)]
    return len(tree.body) == 1 and functions[0] == functions[1]
