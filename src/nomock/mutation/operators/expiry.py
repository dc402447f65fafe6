"""What is good for a moment longer than it should be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import NAMING, called, named_values
from nomock.mutation.operators.operator import Change

_EXPIRY = re.compile(
    r"exp|iat|nbf|ex|px|exat|pxat|ttl\w*|\w*_ttl|\w*expir\w*|max_?age|leeway\w*|\w*lifetime\w*"
    r"|(max_|page_)?limit|offset",
    re.IGNORECASE,
)
_SPANS = frozenset({"days", "hours", "minutes", "seconds", "milliseconds", "weeks"})
# Which argument by position is how long a key lasts: of Redis' commands.
_POSITIONS = {"expire": 1, "pexpire": 1, "expireat": 1, "setex": 1, "psetex": 1}


class LateExpiry:
    """Adds one to when something expires, or to how much there is at most."""

    name = "late-expiry"
    about = "adds one to how long something is good, when it expires, or how many there may be"
    nodes = NAMING

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield each such number plus one; a constant is the operator `number`'s."""
        is_span = called(node).rpartition(".")[2] == "timedelta"
        for name, value in named_values(node):
            if _EXPIRY.fullmatch(name) or (is_span and name in _SPANS):
                yield from _one_more(value, module)
        if isinstance(node, ast.Call):
            position = _POSITIONS.get(called(node).rpartition(".")[2], len(node.args))
            for value in node.args[position : position + 1]:
                yield from _one_more(value, module)


def _one_more(value: ast.expr, module: Module) -> Iterator[Change]:
    if isinstance(value, ast.Name | ast.Attribute | ast.BinOp | ast.Call) and not _is_span(value):
        begin, end = module.span(value)
        text = module.text[begin:end]
        if not module.line_ends(begin, end):
            yield Change(begin, end, f"{text} + 1")


def _is_span(value: ast.expr) -> bool:
    """Return whether a value is a timedelta or a field's description: no number to add to."""
    name = called(value).rpartition(".")[2]
    return name in {"timedelta", "Field", "Query", "Header", "Depends"} or name[:1].isupper()
