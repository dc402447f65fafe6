"""Logic: `and` for `or`, and what is not negated any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class Boolean:
    """Puts `and` in the place of `or`, and leaves `not` out."""

    name = "boolean"
    about = "puts `and` for `or`, `or` for `and`, and leaves `not` out"
    nodes = (ast.BoolOp, ast.UnaryOp)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield each operator of a chain as the other one; and what follows a `not`."""
        if isinstance(node, ast.BoolOp):
            word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in pairwise(node.values):
                if token := module.find(word, module.span(left)[1], module.span(right)[0]):
                    yield Change(*token, other)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            begin = module.span(node)[0]
            following = next(module.tokens(begin + 1, module.span(node)[1]))
            yield Change(begin, following[0], "")
