"""What a function returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class Result:
    """Returns nothing."""

    name = "result"
    about = "returns `None` in the place of a value"
    nodes = (ast.Return,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield `return None`; a truth value has another one already, by the operator `number`."""
        if isinstance(node, ast.Return) and node.value is not None:
            is_bool = isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool)
            if not is_bool:
                begin, end = module.span(node.value)
                yield Change(begin, end, module.filled(begin, end, "None"))
