"""Numbers and truth values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change
from nomock.mutation.operators.status import is_status


class Number:
    """Adds one to a number, and puts `False` for `True`."""

    name = "number"
    about = "adds one to a number, and puts `False` for `True`; in defaults of arguments, too"
    nodes = (ast.Constant,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a constant as another one."""
        if not isinstance(node, ast.Constant) or is_status(node, module):
            return
        if isinstance(node.value, bool):
            yield Change(*module.span(node), repr(not node.value))
        elif isinstance(node.value, int | float):
            yield Change(*module.span(node), repr(node.value + 1))
