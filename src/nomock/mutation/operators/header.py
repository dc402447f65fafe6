"""Headers that do not go along."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.elements import entries_of
from nomock.mutation.operators.names import NAMING, dotted, named_values
from nomock.mutation.operators.operator import Change


class DroppedHeader:
    """Leaves a header out."""

    name = "dropped-header"
    about = "leaves out a header of a request or an answer"
    nodes = NAMING

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield headers without each of them; None for what sets one."""
        for name, value in named_values(node):
            if "headers" in name.lower() and isinstance(value, ast.Dict):
                for _, span in entries_of(value, module):
                    begin, end = module.without(span)
                    yield Change(begin, end, module.line_ends(begin, end))
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Subscript) and "headers" in dotted(target.value).lower():
                begin, end = module.span(node)
                yield Change(begin, end, module.filled(begin, end, "None"))
