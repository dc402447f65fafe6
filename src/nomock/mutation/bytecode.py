"""What a change compiles to, compared without where it stands in the file."""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType

from nomock.mutation.module import Module
from nomock.mutation.operators.operator import Change


@dataclass(frozen=True)
class _Unit:
    """What is compiled by itself: a statement of a module or of a class in it."""

    begin: int
    end: int
    before: str
    """The heads of the classes that it is in: private names are made of these."""

    def digest(self, module: Module, change: Change | None = None) -> bytes:
        """Return a digest of what it compiles to with a change in it; b"" where it does not."""
        text, begin, end = module.text, self.end, self.end
        if change is not None:
            begin, end = change.begin, change.end
        middle = change.replacement if change else ""
        return _digest(f"{self.before}{text[self.begin : begin]}{middle}{text[end : self.end]}")


class Compiled:
    """The bytecode of a module, and of each change of it that was asked for.

    Only the function that a change is in is compiled, not the whole module: what a change of one
    of a hundred functions costs is a hundredth.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._units = list(_units(module, module.tree.body, ""))
        self._seen: dict[_Unit, set[bytes]] = {}

    def is_new(self, change: Change) -> bool:
        """Return whether a change compiles, and to what no other one did, nor the original."""
        around = [u for u in self._units if u.begin <= change.begin and change.end <= u.end]
        for unit in reversed(around):  # the innermost that can be compiled by itself
            if unit not in self._seen:
                original = unit.digest(self._module)
                if not original:
                    self._units.remove(unit)
                    continue
                self._seen[unit] = {original}
            digest = unit.digest(self._module, change)
            is_new = bool(digest) and digest not in self._seen[unit]
            self._seen[unit].add(digest)
            return is_new
        return False


def _units(module: Module, body: Iterable[ast.stmt], before: str) -> Iterator[_Unit]:
    """Yield the statements of a body, and after a class those in it."""
    for statement in body:
        begin, end = module.span(statement)
        for decorator in getattr(statement, "decorator_list", []):
            begin = min(begin, module.text.rindex("@", 0, module.span(decorator)[0]))
        column = module.place(begin)[1]
        if not module.text[begin - column : begin].strip():
            yield _Unit(begin - column, end, before)
        if isinstance(statement, ast.ClassDef):
            depth = before.count("\n")
            head = f"{before}{' ' * depth}class {statement.name}:\n"
            yield from _units(module, statement.body, head)


def _digest(text: str) -> bytes:
    """Return a digest of what a text compiles to; b"" where it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text, "", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError):
        return b""
    return hashlib.sha256(repr(_without_places(code)).encode(errors="surrogatepass")).digest()


def _without_places(code: CodeType) -> tuple[object, ...]:
    """Return what a code object does: all of it but the lines and columns."""
    return (
        code.co_name,
        code.co_flags,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        code.co_code,
        code.co_exceptiontable,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        [_without_places(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts],
    )
