"""A module as operators see it: its syntax tree, its text, and what is where."""

from __future__ import annotations

import ast
import bisect
import io
import tokenize
import warnings
from collections.abc import Iterator
from functools import cached_property

from nomock.mutation.sourcetext import line_starts

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Span = tuple[int, int]


class Module:
    """A module's text and syntax tree; offsets count the characters of the text as it is."""

    def __init__(self, text: str) -> None:
        """Raises SyntaxError or ValueError where the running Python does not understand it."""
        self.text = text
        self._starts = line_starts(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
        self._parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node is in, the innermost first."""
        while node in self._parents:
            node = self._parents[node]
            yield node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return what a node is in; None for the module."""
        return self._parents.get(node)

    def span(self, node: ast.AST) -> Span:
        """Return where a node begins and ends, without parentheses around it."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword | ast.ExceptHandler | ast.arg)
        assert node.end_lineno is not None and node.end_col_offset is not None
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno, node.end_col_offset),
        )

    def text_of(self, node: ast.AST) -> str:
        """Return the text of a node."""
        begin, end = self.span(node)
        return self.text[begin:end]

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line, from 1, and the column in characters, from 0."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    def lines_of(self, begin: int, end: int) -> str:
        """Return the text of the lines that a span is in, without the space around it."""
        first, last = self.place(begin)[0], self.place(end)[0]
        stop = self._starts[last] if last < len(self._starts) else len(self.text)
        return self.text[self._starts[first - 1] : stop].strip()

    def find(self, token: str, begin: int, end: int) -> Span | None:
        """Return where an operator or keyword stands first in a span of the text; None if not."""
        first = bisect.bisect_left(self._tokens, (begin,))
        for start, stop, string in self._tokens[first:]:
            if start >= end:
                return None
            if string == token:
                return start, stop
        return None

    @cached_property
    def _tokens(self) -> list[tuple[int, int, str]]:
        """Names and operators, in order of where they stand."""
        text = io.StringIO(self.text.replace("\r\n", "\n").replace("\r", "\n"))
        return [
            (
                self._starts[t.start[0] - 1] + t.start[1],
                self._starts[t.end[0] - 1] + t.end[1],
                t.string,
            )
            for t in tokenize.generate_tokens(text.readline)
            if t.type in (tokenize.OP, tokenize.NAME)
        ]

    def _offset(self, line: int, column: int) -> int:
        """Return the offset of a place that the syntax tree gives: its columns count bytes."""
        start = self._starts[line - 1]
        if not self._is_ascii:
            stop = self._starts[line] if line < len(self._starts) else len(self.text)
            column = len(self.text[start:stop].encode()[:column].decode())
        return start + column

    @cached_property
    def _is_ascii(self) -> bool:
        return self.text.isascii()
