"""Arguments by keyword that are left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.elements import arguments_of
from nomock.mutation.operators.operator import Change
from nomock.mutation.operators.timeout import is_timeout


class Argument:
    """Leaves an argument out."""

    name = "argument"
    about = "leaves out an argument that a call gives by keyword"
    nodes = (ast.Call,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a call without each of its arguments by keyword; time-outs have an operator."""
        if isinstance(node, ast.Call):
            for argument, span in arguments_of(node, module):
                name = argument.arg if isinstance(argument, ast.keyword) else None
                if name and not is_timeout(name):
                    begin, end = module.without(span)
                    yield Change(begin, end, module.line_ends(begin, end))
