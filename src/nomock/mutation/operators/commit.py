"""Transactions that are none."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import called
from nomock.mutation.operators.operator import Change

_BLOCKS = frozenset({"transaction", "begin", "begin_nested", "atomic"})


class LostCommit:
    """Takes the transaction away."""

    name = "lost-commit"
    about = "leaves out a `commit()`, and what makes a `with` block one transaction"
    nodes = (ast.Expr, ast.withitem)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield `None` for a commit, and a block that begins and ends nothing."""
        if isinstance(node, ast.Expr) and _last(node.value) == "commit":
            begin, end = module.span(node)
            yield Change(begin, end, module.filled(begin, end, "None"))
        elif isinstance(node, ast.withitem) and _last(node.context_expr) in _BLOCKS:
            begin, end = module.span(node.context_expr)
            if node.optional_vars is None:
                # Without an import: that would be another line.
                nothing = '__import__("contextlib").nullcontext()'
                yield Change(begin, end, module.filled(begin, end, nothing))
            elif _last(node.context_expr) == "begin" and isinstance(node.context_expr, ast.Call):
                # SQLAlchemy: what is done on a connection is rolled back when it closes.
                function = module.span(node.context_expr.func)
                yield Change(function[1] - len("begin"), function[1], "connect")


def _last(node: ast.expr) -> str:
    return called(node).rpartition(".")[2]
