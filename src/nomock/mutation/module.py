"""A module as operators see it: its syntax tree, its text, and what is where."""

from __future__ import annotations

import ast
import bisect
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from functools import cached_property

from nomock.mutation.sourcetext import LINE_END, line_starts

Function = ast.FunctionDef | ast.AsyncFunctionDef
Span = tuple[int, int]

# The text in an f-string (since 3.12) may look like any other token.
_NO_TOKENS = frozenset(
    number
    for number, name in tokenize.tok_name.items()
    if name in {"NL", "NEWLINE", "COMMENT", "INDENT", "DEDENT", "ENDMARKER"}
    or name.endswith("STRING_MIDDLE")
)


class Module:
    """A module's text and syntax tree; offsets count the characters of the text as it is."""

    def __init__(self, text: str) -> None:
        """Raises SyntaxError or ValueError where the running Python does not understand it."""
        self.text = text
        self._starts = line_starts(text)
        self._is_ascii = text.isascii()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
        self._parameter_types: dict[Function, dict[str, str]] = {}
        self._parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node is in, the innermost first."""
        while node in self._parents:
            node = self._parents[node]
            yield node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return what a node is in; None for the module."""
        return self._parents.get(node)

    def function(self, node: ast.AST) -> Function | None:
        """Return the innermost function that a node is in, its signature included."""
        return next((each for each in self.parents(node) if isinstance(each, Function)), None)

    def parameter_types(self, node: ast.AST) -> dict[str, str]:
        """Return the annotation, dumped, of each annotated parameter of the function around."""
        function = self.function(node)
        if function is None:
            return {}
        if function not in self._parameter_types:
            arguments = function.args
            parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            types = {p.arg: ast.dump(p.annotation) for p in parameters if p.annotation is not None}
            self._parameter_types[function] = types
        return self._parameter_types[function]

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

    def line_ends(self, begin: int, end: int) -> str:
        """Return the line ends of a span, to put them behind what takes its place in brackets."""
        return "".join(LINE_END.findall(self.text, begin, end))

    def filled(self, begin: int, end: int, text: str) -> str:
        """Return an expression for the place of a span, on as many lines as that is."""
        ends = self.line_ends(begin, end)
        return f"({text}{ends})" if ends else text

    def tokens(self, begin: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Yield the tokens that begin in a span, without comments and line ends."""
        first = bisect.bisect_left(self._tokens, (begin,))
        for number in range(first, len(self._tokens)):
            if self._tokens[number][0] >= end:
                return
            yield self._tokens[number]

    def find(self, string: str, begin: int, end: int) -> Span | None:
        """Return where a token stands first in a span; None if it does not."""
        found = (t for t in self.tokens(begin, end) if t[2] == string)
        return next(((start, stop) for start, stop, _ in found), None)

    def elements(self, begin: int, end: int) -> list[Span]:
        """Return what stands between the commas of a bracket, which the span holds with its ends.

        Each span reaches from an element's first token to its last; no element is empty.
        """
        spans: list[Span] = []
        depth, first, last = 0, -1, -1
        for start, stop, string in self.tokens(begin, end):
            depth -= string in {")", "]", "}"}
            if depth == 1 and string == ",":
                spans.append((first, last))
                first = -1
            elif depth >= 1:
                first, last = (start if first < 0 else first), stop
            depth += string in {"(", "[", "{"}
            if depth == 0:
                break
        return spans if first < 0 else [*spans, (first, last)]

    def without(self, element: Span) -> Span:
        """Return the span of an element with the comma behind it, and the space behind that."""
        begin, end = element
        if comma := _first(self.tokens(end, len(self.text)), ","):
            end = comma[1]
            while self.text[end : end + 1] == " ":
                end += 1
        return begin, end

    @cached_property
    def _tokens(self) -> list[tuple[int, int, str]]:
        lines = io.StringIO(re.sub(LINE_END, "\n", self.text))
        return [
            (self._at(token.start), self._at(token.end), token.string)
            for token in tokenize.generate_tokens(lines.readline)
            if token.type not in _NO_TOKENS
        ]

    def _at(self, place: tuple[int, int]) -> int:
        """Return the offset of a place of a token: its columns count characters."""
        return self._starts[place[0] - 1] + place[1]

    def _offset(self, line: int, column: int) -> int:
        """Return the offset of a place of the syntax tree: its columns count bytes."""
        start = self._starts[line - 1]
        if not self._is_ascii:
            stop = self._starts[line] if line < len(self._starts) else len(self.text)
            column = len(self.text[start:stop].encode()[:column].decode())
        return start + column


def _first(tokens: Iterator[tuple[int, int, str]], string: str) -> Span | None:
    """Return where the first of some tokens stands, if it is the one that is looked for."""
    begin, end, first = next(tokens, (0, 0, ""))
    return (begin, end) if first == string else None
