"""Strings that programs read: keys, names, paths and patterns, and no sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.literals import literal_spans
from nomock.mutation.operators.operator import Change

# One word: what has spaces in it is a text for people, whose wording no test should fix; or it is
# SQL or a command, which have operators of their own.
_WORD = re.compile(r"\S*")


class String:
    """Misspells a string."""

    name = "string"
    about = "puts XX in front of a string that is one word; sentences are left alone"
    nodes = (ast.Constant,)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a misspelt string."""
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
            return
        text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        if not _WORD.fullmatch(text) or _is_read(node, module):
            return
        spans = literal_spans(node, module)
        if len(spans) == 1:
            begin, end = module.span(node)
            inside = spans[0][0]
            yield Change(begin, end, f"{module.text[begin:inside]}XX{module.text[inside:end]}")


def _is_read(node: ast.Constant, module: Module) -> bool:
    """Return whether a string is an index, part of an f-string, or names a type.

    A wrong index is a KeyError: each test that comes there notices.
    """
    parent = module.parent(node)
    if isinstance(parent, ast.Subscript):
        return parent.slice is node and isinstance(parent.ctx, ast.Load)
    if isinstance(parent, ast.Tuple) and isinstance(module.parent(parent), ast.Subscript):
        return True
    return isinstance(parent, ast.JoinedStr | ast.FormattedValue)
