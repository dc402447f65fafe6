"""Functions that have a twin."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import called
from nomock.mutation.operators.operator import Change

_FUNCTIONS = {"min": "max", "any": "all"}
_METHODS = {
    "lower": "upper",
    "startswith": "endswith",
    "lstrip": "rstrip",
    "find": "rfind",
    "partition": "rpartition",
    "removeprefix": "removesuffix",
}


class Twin:
    """Calls the twin of a function."""

    name = "twin"
    about = "calls `max` for `min`, `all` for `any`, `upper` for `lower`, `rstrip` for `lstrip`, …"
    nodes = (ast.Call,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a call of the other function of a pair."""
        if not isinstance(node, ast.Call):
            return
        *before, name = called(node).split(".")
        pairs = _METHODS if before else _FUNCTIONS
        others = {**pairs, **{other: one for one, other in pairs.items()}}
        if name in others:
            end = module.span(node.func)[1]
            yield Change(end - len(name), end, others[name])
