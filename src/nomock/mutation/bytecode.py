"""What a change compiles to, compared without where it stands in the file."""

from __future__ import annotations

import ast
import hashlib
import warnings
from types import CodeType

from nomock.mutation.module import Module, Span
from nomock.mutation.operators.operator import Change


class Compiled:
    """The bytecode of a module, and of each change of it that was asked for.

    Only the statement of the module that a change is in is compiled, not the whole module: a
    change in one of a hundred functions costs a hundredth.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._spans = [_whole(module, statement) for statement in module.tree.body]
        self._seen: dict[Span, set[bytes]] = {}

    def is_new(self, change: Change) -> bool:
        """Return whether a change compiles, and to what no other one did, nor the original."""
        span = next((s for s in self._spans if s[0] <= change.begin and change.end <= s[1]), None)
        if span is None:
            return False
        text = self._module.text
        if span not in self._seen:
            self._seen[span] = {_digest(text[span[0] : span[1]])}
        mutated = f"{text[span[0] : change.begin]}{change.replacement}{text[change.end : span[1]]}"
        digest = _digest(mutated)
        if not digest or digest in self._seen[span]:
            return False
        self._seen[span].add(digest)
        return True


def _whole(module: Module, statement: ast.stmt) -> Span:
    """Return the span of a statement of a module with its decorators."""
    begin, end = module.span(statement)
    for decorator in getattr(statement, "decorator_list", []):
        at = module.text.rindex("@", 0, module.span(decorator)[0])
        begin = min(begin, at)
    return begin, end


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
