"""Arithmetic: another operation."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change

_OTHER: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitXor: ("^", "&"),
}


class Arithmetic:
    """Puts another operation in the place of one, and leaves a sign out."""

    name = "arithmetic"
    about = "puts another operation for `+ - * / // % ** << >> & ^`, and leaves a minus sign out"
    nodes = (ast.BinOp, ast.AugAssign, ast.UnaryOp)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield an operation as its other one.

        What cannot be but text, a list or a path is left alone: each test would notice the
        TypeError, and the mutant says nothing.
        """
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            begin = module.span(node)[0]
            yield Change(begin, module.span(node.operand)[0], "")
        elif isinstance(node, ast.BinOp) and type(node.op) in _OTHER:
            if not (_is_no_number(node.left) or _is_no_number(node.right)):
                yield from _other(node.op, node.left, node.right, "", module)
        elif (
            isinstance(node, ast.AugAssign)
            and type(node.op) in _OTHER
            and not _is_no_number(node.value)
        ):
            yield from _other(node.op, node.target, node.value, "=", module)


def _other(
    op: ast.operator, left: ast.expr, right: ast.expr, suffix: str, module: Module
) -> Iterator[Change]:
    token, other = _OTHER[type(op)]
    if found := module.find(token + suffix, module.span(left)[1], module.span(right)[0]):
        yield Change(*found, other + suffix)


def _is_no_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes)
    if isinstance(node, ast.BinOp):
        return _is_no_number(node.left) or _is_no_number(node.right)
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp | ast.Dict)
