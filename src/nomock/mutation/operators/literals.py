"""What stands in the quotes of a string, whatever it is put together from."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from nomock.mutation.module import Module, Span

_OPENING = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")


def literal_spans(node: ast.expr, module: Module) -> list[Span]:
    """Return the spans of a string's own text: without quotes and the fields of f-strings.

    ``"a" f"b {c} d"`` has three. Below Python 3.12 an f-string has none: what Python says of the
    places in it is wrong there.
    """
    spans: list[Span] = []
    opened: list[_FString] = []
    begin, end = module.span(node)
    for start, stop, string in module.tokens(begin, end):
        opening = _OPENING.match(string)
        if opening and opening[1] and opening.end() == len(string):
            opened.append(_FString(opening[2], stop))
        elif opened:
            inner = opened[-1]
            is_text = len(opened) == 1 and inner.depth == 0
            if is_text and string in ("{", inner.quote):
                spans.append((inner.begin, start))
            if string == inner.quote and inner.depth == 0:
                opened.pop()
            inner.depth += (string == "{") - (string == "}")
            inner.begin = stop
        elif opening and "f" not in opening[1].lower():
            spans.append((start + opening.end(), stop - len(opening[2])))
    return [span for span in spans if span[0] < span[1]] or spans[:1]


@dataclass
class _FString:
    """An f-string that has not ended: how deep in braces, and where its text began last."""

    quote: str
    begin: int
    depth: int = 0


@dataclass(frozen=True)
class Literal:
    """The text of a string in one piece, and where each character of it stands in the module."""

    text: str
    """A field of an f-string is one character, ``FIELD``."""
    _begins: tuple[int, ...]
    _ends: tuple[int, ...]

    def span(self, begin: int, end: int) -> Span:
        """Return where a part of the text stands in the module, all between it included."""
        return self._begins[begin], self._ends[end - 1]


FIELD = "\ufffc"


def literal(node: ast.expr, module: Module) -> Literal:
    """Return the text of a string as it is written, in one piece."""
    text, begins, ends = "", [], []
    before = 0
    for begin, end in literal_spans(node, module):
        if before and "{" in module.text[before:begin]:
            text += FIELD
            begins.append(before)
            ends.append(begin)
        text += module.text[begin:end]
        begins += range(begin, end)
        ends += range(begin + 1, end + 1)
        before = end
    return Literal(text, tuple(begins), tuple(ends))
