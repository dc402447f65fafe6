"""The interface of a mutation operator: a kind of small defect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from nomock.mutation.module import Module


@dataclass(frozen=True)
class Change:
    """Another text for a span of a module, given by offsets in characters."""

    begin: int
    end: int
    replacement: str


class Operator(Protocol):
    """A kind of small defect."""

    name: str
    """A word or two with hyphens: ``comparison``, ``lost-commit``."""
    about: str
    """What it does to the code, in a sentence without its full stop."""

    @property
    def nodes(self) -> tuple[type[ast.AST], ...]:
        """Return the kinds of nodes that it may change."""

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield what it may do to a node itself; it is asked for those nodes that are not arid.

        What does not compile, and what compiles to the same, is dropped by who asks.
        """
