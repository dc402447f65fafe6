"""Waiting without an end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import NAMING, called, named_values
from nomock.mutation.operators.operator import Change

_TIMEOUT = re.compile(r"(\w*_)?time_?out(_\w+)?", re.IGNORECASE)
# Which argument by position is the time-out.
_POSITIONS = {"timeout": 0, "timeout_at": 0, "wait_for": 1, "fail_after": 0, "move_on_after": 0}


class RemovedTimeout:
    """Waits for ever."""

    name = "removed-timeout"
    about = "puts `None` for a time-out"
    nodes = NAMING

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield each time-out of a node as `None`."""
        values = [value for name, value in named_values(node) if is_timeout(name)]
        if isinstance(node, ast.Call):
            function = called(node).rpartition(".")[2]
            position = _POSITIONS.get(function, len(node.args))
            values += node.args[position : position + 1]
        for value in values:
            begin, end = module.span(value)
            yield Change(begin, end, module.filled(begin, end, "None"))


def is_timeout(name: str) -> bool:
    """Return whether an argument of this name is a time-out."""
    return _TIMEOUT.fullmatch(name) is not None
