"""Code that does what a mutant does where that is on, and what it always did where none is.

A function with mutants becomes

    def price(order):
        if <is_on>(7, 9):
            if <is_on>(7, 7):
                … its body with mutant 7 …
                return
            …
        … its body as it is …

So the mutants of one function have numbers in one row, which no other one has.
Everything else of it stays: its signature, its free variables, whether it is a coroutine or a
generator, the numbers of its lines. A function within it has mutants of its own likewise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType
from typing import Any

CHOOSE = "__nomock_mutant_is_on__"
"""The builtin that tells; neither a class nor anybody else makes another name of it."""

Key = tuple[str, int]
"""What a piece of code is known by in its file: its name and the line that it begins on."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def codes(filename: str, function: dict[str, Any]) -> dict[Key, CodeType]:
    """Return the code of a function with its mutants, and of those within it.

    ``function`` is what the run tells of it: ``text``, the lines of the function as they are;
    ``first``, the number of the first of them; ``classes``, the names of those it is in, the
    outermost first; and ``mutants``, of each its ``number``, the function that it changes
    (``within``: 0 for this one, else in the order of their texts) and the ``text`` with it.
    Raises SyntaxError where Python does not read it.
    """
    original = _parsed(function["text"], function["first"])
    changed: dict[int, list[tuple[int, list[ast.stmt]]]] = {}
    for mutant in function["mutants"]:
        within = _functions(_parsed(mutant["text"], function["first"]))[mutant["within"]]
        changed.setdefault(mutant["within"], []).append((mutant["number"], within.body))
    # The outer ones first: what they have of the inner ones is as it was, but in their own body.
    for at, function_node in enumerate(_functions(original)):
        if at in changed:
            _let_choose(function_node, changed[at])
    node: ast.stmt = original
    for name in reversed(function["classes"]):
        kind = ast.ClassDef(name=name, bases=[], keywords=[], body=[node], decorator_list=[])
        if hasattr(kind, "type_params"):
            kind.type_params = []
        node = ast.copy_location(kind, node)
    module = ast.fix_missing_locations(ast.Module(body=[node], type_ignores=[]))
    code = compile(module, filename, "exec", dont_inherit=True)
    return {(found.co_name, found.co_firstlineno): found for found in _within(code)}


def _parsed(text: str, first: int) -> _Function:
    """Return the function that some lines are, each with the number that it has in its file."""
    is_indented = text[:1] in (" ", "\t", "\f")
    above = "\n" * (first - 2) + "if 1:\n" if is_indented else "\n" * (first - 1)
    [node] = ast.parse(above + text).body
    if is_indented:
        assert isinstance(node, ast.If), "it is the line above"
        [node] = node.body
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)), "it is told as a function"
    return node


def _functions(node: _Function) -> list[_Function]:
    """Return a function and all within it, in the order of their texts."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [n for n in ast.walk(node) if isinstance(n, kinds)]
    return sorted(found, key=lambda one: (one.lineno, one.col_offset))


def _let_choose(node: _Function, changed: list[tuple[int, list[ast.stmt]]]) -> None:
    numbers = [number for number, _ in changed]
    choices: list[ast.stmt] = []
    for number, mutated in changed:
        body = [*_split(mutated)[1], ast.Return()]
        choices.append(ast.If(test=_is_on(number, number), body=body, orelse=[]))
    choice = ast.If(test=_is_on(min(numbers), max(numbers)), body=choices, orelse=[])
    head, body = _split(node.body)
    node.body = [*head, ast.copy_location(choice, body[0]), *body]


def _is_on(first: int, last: int) -> ast.expr:
    numbers: list[ast.expr] = [ast.Constant(first), ast.Constant(last)]
    return ast.Call(func=ast.Name(CHOOSE, ast.Load()), args=numbers, keywords=[])


def _split(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Return what of a body has to stay in front, and the rest: a pass where there is none.

    That is the docstring, and which names are of the module or of a function around: these may
    be said but once.
    """
    scoping = (ast.Global, ast.Nonlocal)
    head = [*_docstring(body), *(s for s in body if isinstance(s, scoping))]
    rest = [s for s in body if s not in head]
    return head, rest or [ast.copy_location(ast.Pass(), body[0])]


def _docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    value = first.value if isinstance(first, ast.Expr) else None
    is_one = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return body[:1] if is_one else []


def _within(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of all functions within some code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if not constant.co_name.startswith("<"):
                yield constant
            yield from _within(constant)
