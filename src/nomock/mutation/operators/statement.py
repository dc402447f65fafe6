"""Statements that are left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class Statement:
    """Leaves out what is done for its effect."""

    name = "statement"
    about = "leaves out a call whose result nobody uses, or what sets an attribute or an item"
    nodes = (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield `None` in the place of a statement that only has an effect.

        An `await` without its use is the operator `dropped-await`'s: what is not run is left out.
        An attribute that `__init__` does not set is an AttributeError that each test notices.
        """
        if _has_only_effect(node) and not _is_made_by_init(node, module):
            begin, end = module.span(node)
            yield Change(begin, end, module.filled(begin, end, "None"))


def _has_only_effect(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Attribute | ast.Subscript) for t in node.targets)
    return isinstance(node, ast.AugAssign | ast.Delete)


def _is_made_by_init(node: ast.AST, module: Module) -> bool:
    function = module.function(node)
    return isinstance(node, ast.Assign) and function is not None and function.name == "__init__"
