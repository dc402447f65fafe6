"""What things are called in a syntax tree: operators know many of them by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def dotted(node: ast.AST) -> str:
    """Return a name with its attributes, such as ``self.log.info``; "" for anything else.

    What is in front of the last names may be anything: ``x().log.info`` is ``.log.info``.
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def last_name(node: ast.AST) -> str:
    """Return the last name of a dotted one: of what is called, the method."""
    return dotted(node).rpartition(".")[2]


def called(node: ast.AST) -> str:
    """Return the dotted name of what a call calls, with ``await`` before it or not; "" if none."""
    if isinstance(node, ast.Await):
        node = node.value
    return dotted(node.func) if isinstance(node, ast.Call) else ""


NAMING = (ast.Call, ast.Dict, ast.Assign, ast.AnnAssign, ast.arguments)
"""The kinds of nodes that give names to values."""


def named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield each value that a node gives a name to, with that name.

    Those are arguments by keyword, entries of a dict with a string as key, assignments and
    defaults of arguments.
    """
    if isinstance(node, ast.Call):
        yield from ((each.arg, each.value) for each in node.keywords if each.arg)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Assign):
        yield from ((_target(each), node.value) for each in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield _target(node.target), node.value
    elif isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        with_default = positional[len(positional) - len(node.defaults) :]
        yield from ((a.arg, v) for a, v in zip(with_default, node.defaults, strict=True))
        for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            if default is not None:
                yield argument.arg, default


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return last_name(node)
