"""What is tried more often than it was meant to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import NAMING, called, dotted, named_values
from nomock.mutation.operators.operator import Change

_TRIES = re.compile(r"(\w*_)?(retries|attempts|tries|retry|attempt)(_\w+)?", re.IGNORECASE)
_SENDS = frozenset({"post", "put", "patch", "publish", "send_task", "xadd", "rpush", "lpush"})


class DoubledRetry:
    """Tries twice as often, and sends twice."""

    name = "doubled-retry"
    about = "doubles how often something is tried, and sends what is sent once more"
    nodes = (*NAMING, ast.For, ast.Expr, ast.Return)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield twice the number of tries; a call that sends something, twice."""
        for value in _numbers_of_tries(node):
            begin, end = module.span(value)
            yield Change(begin, end, f"2 * ({module.text[begin:end]})")
        if isinstance(node, ast.Expr | ast.Assign | ast.Return) and node.value is not None:
            begin, end = module.span(node.value)
            if _sends(node.value) and not module.line_ends(begin, end):
                text = module.text[begin:end]
                yield Change(begin, end, f"({text}, {text})[1]")


def _numbers_of_tries(node: ast.AST) -> Iterator[ast.expr]:
    for name, value in named_values(node):
        if _TRIES.fullmatch(name) and _may_be_number(value):
            yield value
    if isinstance(node, ast.For) and called(node.iter) == "range":
        assert isinstance(node.iter, ast.Call)
        names = {dotted(node.target), *map(dotted, node.iter.args)}
        if node.iter.args and any(_TRIES.fullmatch(n.rpartition(".")[2]) for n in names):
            yield node.iter.args[-1]


def _may_be_number(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int) and not isinstance(value.value, bool)
    return isinstance(value, ast.Name | ast.Attribute | ast.BinOp)


def _sends(node: ast.expr) -> bool:
    *before, last = called(node).split(".")
    return bool(before) and last in _SENDS
