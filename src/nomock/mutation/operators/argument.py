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
        """Yield a call without each of its arguments by keyword.

        Not without a time-out, which has an operator; nor without a truth value, which becomes
        the other one, as that is mostly the default.
        """
        if isinstance(node, ast.Call):
            for argument, span in arguments_of(node, module):
                if isinstance(argument, ast.keyword) and _may_be_left_out(argument):
                    begin, end = module.without(span)
                    yield Change(begin, end, module.line_ends(begin, end))


def _may_be_left_out(argument: ast.keyword) -> bool:
    is_truth = isinstance(argument.value, ast.Constant) and isinstance(argument.value.value, bool)
    return argument.arg is not None and not is_timeout(argument.arg) and not is_truth
