"""A coroutine that is made and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class DroppedAwait:
    """Leaves out an `await`."""

    name = "dropped-await"
    about = "leaves out an `await`, where the result is not used or is only asked for its truth"
    nodes = (ast.Await,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield what is awaited without its `await`.

        A result that is used otherwise would be a coroutine there: each test would notice.
        """
        if isinstance(node, ast.Await) and _goes_unnoticed(node, module):
            begin = module.span(node)[0]
            following = next(module.tokens(begin + 1, module.span(node)[1]))
            yield Change(begin, following[0], "")


def _goes_unnoticed(node: ast.Await, module: Module) -> bool:
    parent = module.parent(node)
    if isinstance(parent, ast.If | ast.While | ast.IfExp):
        return parent.test is node
    is_negated = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    return is_negated or isinstance(parent, ast.Expr | ast.BoolOp)
