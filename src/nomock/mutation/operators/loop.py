"""Loops: no round, one round, all rounds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class Loop:
    """Lets a loop have no round, or go on where it ended."""

    name = "loop"
    about = "puts `break` for `continue`, `continue` for `break`, and lets a `for` have no round"
    nodes = (ast.For, ast.Break, ast.Continue)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a loop over nothing; the other word for `break` and `continue`."""
        if isinstance(node, ast.For):
            begin, end = module.span(node.iter)
            yield Change(begin, end, module.filled(begin, end, "()"))
        elif isinstance(node, ast.Break | ast.Continue):
            word = "continue" if isinstance(node, ast.Break) else "break"
            yield Change(*module.span(node), word)
