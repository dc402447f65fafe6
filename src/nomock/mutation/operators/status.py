"""The status code of an answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import called, dotted, named_values
from nomock.mutation.operators.operator import Change

_ANSWERS = re.compile(r"respon|reply|answer|problem|error|exception|abort|redirect|status|http")
_NAMED = re.compile(r"(status|code|status_code|http_status)", re.IGNORECASE)
# What some answer in its place: a success that claims too little, a refusal that is none, and
# one that looks like a breakdown.
_OTHERS = {200: (204,), 201: (200,), 202: (200,), 204: (200,), 301: (302,), 302: (303,)}


class ChangedStatus:
    """Answers with another status code."""

    name = "changed-status"
    about = "answers 200 for 201, 202 and 204, and 200 or 500 where something is refused"
    nodes = (ast.Constant,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a status code as those that are mistaken for it."""
        if is_status(node, module):
            assert isinstance(node, ast.Constant) and isinstance(node.value, int)
            for other in _others(node.value):
                yield Change(*module.span(node), str(other))


def is_status(node: ast.AST, module: Module) -> bool:
    """Return whether a node is the status code that something answers, or is compared with."""
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        return False
    if not 200 <= node.value <= 599:
        return False
    parent = module.parent(node)
    if isinstance(parent, ast.keyword):
        return bool(_NAMED.fullmatch(parent.arg or ""))
    if isinstance(parent, ast.Compare):
        return "status" in dotted(parent.left).lower()
    if isinstance(parent, ast.Call):
        return node in parent.args and bool(_ANSWERS.search(called(parent).lower()))
    if isinstance(parent, ast.Tuple | ast.List | ast.Set):  # a table of refusals; (status, text)
        return node.value >= 400
    return any(_NAMED.fullmatch(n) and v is node for n, v in named_values(parent or node))


def _others(status: int) -> tuple[int, ...]:
    if status >= 500:
        return (200,) if status == 500 else (500,)
    return _OTHERS.get(status, (200, 500) if status >= 400 else (200,))
