"""What stands between the brackets of a call, a dict and a list."""

from __future__ import annotations

import ast

from nomock.mutation.module import Module, Span


def arguments_of(call: ast.Call, module: Module) -> list[tuple[ast.expr | ast.keyword, Span]]:
    """Return each argument of a call with its span, in the order of the text."""
    arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    arguments.sort(key=lambda each: module.span(each)[0])
    begin = _bracket("(", module.span(call.func)[1], module)
    return _with_spans(arguments, begin, module.span(call)[1], module)


def entries_of(node: ast.Dict, module: Module) -> list[tuple[int, Span]]:
    """Return the index of each entry of a dict with its span."""
    spans = module.elements(*module.span(node))
    return list(enumerate(spans)) if len(spans) == len(node.keys) else []


def _bracket(bracket: str, begin: int, module: Module) -> int:
    """Return where a bracket opens behind what may have parentheses around it."""
    found = module.find(bracket, begin, len(module.text))
    return found[0] if found else begin


def _with_spans(
    nodes: list[ast.expr | ast.keyword], begin: int, end: int, module: Module
) -> list[tuple[ast.expr | ast.keyword, Span]]:
    spans = module.elements(begin, end)
    return list(zip(nodes, spans, strict=True)) if len(spans) == len(nodes) else []
