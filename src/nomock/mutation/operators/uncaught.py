"""An exception that nobody catches."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.names import called
from nomock.mutation.operators.operator import Change


class UncaughtException:
    """Lets a handler catch nothing."""

    name = "uncaught-exception"
    about = "lets an `except` or a `suppress` catch nothing"
    nodes = (ast.ExceptHandler, ast.Call)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a handler of no type."""
        if isinstance(node, ast.ExceptHandler):
            if node.type is not None:
                begin, end = module.span(node.type)
                yield Change(begin, end, module.filled(begin, end, "()"))
            elif token := module.find("except", *module.span(node)):
                yield Change(*token, "except ()")
        elif called(node) in {"suppress", "contextlib.suppress"}:
            assert isinstance(node, ast.Call)
            begin, end = module.span(node.func)[1], module.span(node)[1]
            yield Change(begin, end, f"({module.line_ends(begin, end)})")
