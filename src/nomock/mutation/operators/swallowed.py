"""An exception that does not leave."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


class SwallowedException:
    """Leaves out a `raise`."""

    name = "swallowed-exception"
    about = "leaves out a `raise`: a refusal that is not told, an error that is swallowed"
    nodes = (ast.Raise,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a `raise` as a statement that does nothing."""
        if isinstance(node, ast.Raise):
            begin, end = module.span(node)
            ends = module.line_ends(begin, end)
            yield Change(begin, end, f"(None{ends})" if ends else "pass")
