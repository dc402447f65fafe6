"""Comparisons: the boundary that moves by one, and the opposite."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change

# What stands there -> what is put there. The opposite of an order (`<` -> `>=`) is noticed by
# all tests that notice the boundary, save where only equals come: so both are made.
_OTHERS: Mapping[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_FIRST_WORD: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is",
    ast.In: "in",
    ast.NotIn: "not",
}


class Comparison:
    """Puts another comparison in the place of one."""

    name = "comparison"
    about = "moves the boundary of a comparison by one, or turns it into its opposite"
    nodes = (ast.Compare,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield each comparison of a chain with another operator."""
        if not isinstance(node, ast.Compare):
            return
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            after, right_begin = module.span(left)[1], module.span(right)[0]
            token = module.find(_FIRST_WORD[type(op)], after, right_begin)
            if token is not None:
                last = token
                if isinstance(op, ast.IsNot | ast.NotIn):
                    word = "not" if isinstance(op, ast.IsNot) else "in"
                    last = module.find(word, token[1], right_begin) or token
                for other in _OTHERS[type(op)]:
                    yield Change(token[0], last[1], other)
            left = right
