"""The wrong variable."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import pairwise

from nomock.mutation.module import Module
from nomock.mutation.operators.names import dotted
from nomock.mutation.operators.operator import Change


class SwappedVariable:
    """Swaps variables that could be taken for each other."""

    name = "swapped-variable"
    about = "swaps two arguments that are plain variables, or takes another parameter of its type"
    nodes = (ast.Call, ast.Name)

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield a call with two neighbours swapped; a parameter as the next one of its type.

        Two of which it is known that their types differ are not swapped: each test would notice.
        """
        types = module.parameter_types(node)
        if isinstance(node, ast.Call):
            for left, right in pairwise(node.args):
                if _may_be_swapped(left, right, types):
                    yield from _swapped(left, right, module)
        elif isinstance(node, ast.Name) and (other := _next_of_type(node.id, types)):
            yield Change(*module.span(node), other)


def _may_be_swapped(left: ast.expr, right: ast.expr, types: Mapping[str, str]) -> bool:
    if isinstance(left, ast.Name) and isinstance(right, ast.Name):
        # Of variables that are no parameters nothing is known.
        return left.id != right.id and types.get(left.id) == types.get(right.id)
    return (
        isinstance(left, ast.Attribute)
        and isinstance(right, ast.Attribute)
        and left.attr != right.attr
        and dotted(left.value) == dotted(right.value) != ""
    )


def _swapped(left: ast.expr, right: ast.expr, module: Module) -> Iterator[Change]:
    (begin, left_end), (right_begin, end) = module.span(left), module.span(right)
    text = module.text
    between = text[left_end:right_begin]
    yield Change(begin, end, f"{text[right_begin:end]}{between}{text[begin:left_end]}")


def _next_of_type(name: str, types: Mapping[str, str]) -> str | None:
    """Return the next parameter, in a circle, of the type of one; None where there is no other."""
    alike = [each for each, type_ in types.items() if type_ == types.get(name)]
    return alike[(alike.index(name) + 1) % len(alike)] if len(alike) > 1 else None
