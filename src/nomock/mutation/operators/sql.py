"""Conditions of SQL that hold for every row, and locks that are not taken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nomock.mutation.module import Module, Span
from nomock.mutation.operators.literals import Literal, literal
from nomock.mutation.operators.operator import Change

_STATEMENT = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", re.IGNORECASE)
_LOCK = re.compile(
    r"\s*\bFOR\s+(NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)(\s+OF\s+[\w.]+)?"
    r"(\s+SKIP\s+LOCKED|\s+NOWAIT)?",
    re.IGNORECASE,
)
# What ends a WHERE, and what changes how deep it is in brackets.
_WORDS = re.compile(
    r"'(?:[^']|'')*'|\b(?:GROUP|ORDER|LIMIT|OFFSET|RETURNING|FOR|UNION|HAVING|WINDOW|EXCEPT"
    r"|INTERSECT|ON|AND|OR|BETWEEN|WHERE|CASE|END)\b|[();]",
    re.IGNORECASE,
)
_ENDS = frozenset(
    {"GROUP", "ORDER", "LIMIT", "OFFSET", "RETURNING", "FOR", "UNION", "HAVING", "WINDOW"}
    | {"EXCEPT", "INTERSECT", "ON", ";", ")"}
)


class MissingCondition:
    """Lets a condition of a WHERE hold for every row."""

    name = "missing-condition"
    about = "lets a condition of a WHERE hold for every row, such as the one of the tenant"
    nodes = (ast.Constant, ast.JoinedStr)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield SQL in which one condition always holds; its parameters stay in their places."""
        if text := _sql(node, module):
            for begin, end in conditions(text.text):
                first, last = text.span(begin, end)
                yield Change(first, last, f"({module.text[first:last]} OR 1 = 1)")


class MissingLock:
    """Takes no lock on rows."""

    name = "missing-lock"
    about = "leaves out what locks rows: `FOR UPDATE`, `FOR SHARE`, and `SKIP LOCKED` by itself"
    nodes = (ast.Constant, ast.JoinedStr)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield SQL without each lock; and with it, but waiting for those of others."""
        if text := _sql(node, module):
            for found in _LOCK.finditer(text.text):
                for group in (0, 3):
                    if found[group]:
                        first, last = text.span(*found.span(group))
                        yield Change(first, last, module.line_ends(first, last))


def conditions(sql: str) -> list[Span]:
    """Return the spans of the conditions of each WHERE that AND joins.

    Where OR stands beside AND, all of it is one condition: what binds tighter matters there.
    """
    found: list[Span] = []
    for where in re.finditer(r"\bWHERE\b", sql, re.IGNORECASE):
        spans, has_or = [], False
        begin, end, depth, is_between = where.end(), len(sql), 0, False
        for word in _WORDS.finditer(sql, where.end()):
            token = word[0].upper()
            if depth == 0 and token in _ENDS:
                end = word.start()
                break
            depth += (token in ("(", "CASE")) - (token in (")", "END"))
            if depth == 0 and token == "BETWEEN":
                is_between = True
            elif depth == 0 and token == "AND":
                if not is_between:
                    spans.append((begin, word.start()))
                    begin = word.end()
                is_between = False
            has_or = has_or or (depth == 0 and token == "OR")
        spans.append((begin, end))
        found += [(where.end(), end)] if has_or else spans
    stripped = [_stripped(sql, *span) for span in found]
    return [span for span in stripped if span[0] < span[1]]


def _stripped(text: str, begin: int, end: int) -> Span:
    part = text[begin:end]
    return begin + len(part) - len(part.lstrip()), begin + len(part.rstrip())


def _sql(node: ast.AST, module: Module) -> Literal | None:
    """Return the text of a string that is a statement of SQL; None for any other node."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    if not (is_text or isinstance(node, ast.JoinedStr)):
        return None
    if isinstance(module.parent(node), ast.JoinedStr):
        return None
    assert isinstance(node, ast.expr)
    text = literal(node, module)
    return text if _STATEMENT.match(text.text) else None
