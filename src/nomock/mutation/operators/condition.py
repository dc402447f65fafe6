"""Conditions that are negated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class Condition:
    """Negates a condition, where no other operator does it by one word."""

    name = "condition"
    about = "negates what `if`, `while`, `x if … else y` and comprehensions ask"
    nodes = (ast.If, ast.While, ast.IfExp, ast.comprehension, ast.match_case)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield the negation of each condition of a node.

        Not of a comparison, which has its opposite; of `not`, which may be left out; and of `and`
        and `or`, which may be each other, with what they join.
        """
        for test in _tests(node):
            is_not = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
            if not (is_not or isinstance(test, ast.Compare | ast.BoolOp | ast.Constant)):
                yield Change(*module.span(test), f"not ({module.text_of(test)})")


def _tests(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return [node.test]
    if isinstance(node, ast.comprehension):
        return node.ifs
    if isinstance(node, ast.match_case) and node.guard is not None:
        return [node.guard]
    return []
