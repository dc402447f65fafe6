"""The blocks of a Python source: its functions, each by itself, and all that an import runs.

A block has a digest of its syntax: without positions, comments and docstrings, so that a change
of the digest is one of the code. A function's block is its body, without the bodies of the
functions in it. All else belongs to the module's block: statements, class bodies, decorators,
and what a decorator may read: the signature and docstring of its function.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

MODULE = ""
"""The name of the module's block; a function's is its qualified name."""

Range = tuple[int, int]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = ast.Module | ast.ClassDef | _Function


@dataclass(frozen=True)
class Block:
    """A piece of code that changes as one."""

    digest: str
    signature: str = ""
    """Digest of the defaults and annotations that an import evaluates."""
    reach: str = field(default="", compare=False)
    """How it may matter without being called by its users, were it new; "" where it cannot."""
    lines: tuple[Range, ...] = field(default=(), compare=False)
    """First and last lines of its body, without the functions in it; none of the module."""


def blocks_of(source: bytes) -> dict[str, Block]:
    """Return the blocks of a source by name.

    A source that cannot be read is one block, another one when anything changes. The definitions
    of one name in one scope (``@overload``, ``if … else``) are one block.
    """
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {MODULE: Block("unreadable " + hashlib.sha256(source).hexdigest())}
    found: dict[str, Block] = {}
    plain: set[ast.AST] = set()
    for name, block in _functions(tree, "", plain, at_import=True):
        found[name] = _joined(found[name], block) if name in found else block
    _Without(plain).visit(tree)
    return {MODULE: Block(_digest(tree)), **found}


def parse(source: bytes) -> ast.Module:
    """Return the syntax tree; what Python warns of in the source is not our business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _functions(
    scope: _Scope, prefix: str, plain: set[ast.AST], *, at_import: bool
) -> Iterator[tuple[str, Block]]:
    """Yield the functions below a scope and empty them, the innermost first.

    ``plain`` gets those that leave no trace in what an import runs: it only defines them.
    """
    _drop_docstring(scope)
    direct: list[tuple[_Function, Block]] = []
    for node in list(_definitions(scope)):
        name = prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{name}.", plain, at_import=at_import)
            continue
        body = (_first_line(node.body[0]), node.end_lineno or node.lineno)
        docstring = ast.get_docstring(node, clean=False)
        inner = list(_functions(node, f"{name}.", plain, at_import=False))
        yield from inner
        lines = tuple(_without(body, [r for _, block in inner for r in block.lines]))
        direct.append((node, Block(_digest(_as_body(node)), lines=lines)))
        node.body = [ast.Expr(ast.Constant(docstring))] if docstring else []
        if at_import and not node.decorator_list:
            plain.add(node)
    bound = {name for part in ast.walk(scope) for name in _bound(part)} if at_import else set()
    for node, block in direct:
        if node in plain:
            block = replace(block, signature=_signature(node), reach=_reach(node, scope, bound))
        yield prefix + node.name, block


def _definitions(node: ast.AST) -> Iterator[_Function | ast.ClassDef]:
    """Yield the functions and classes of a scope itself, those in its ``if`` and ``try`` too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function | ast.ClassDef):
            yield child
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _definitions(child)


def _reach(node: _Function, scope: _Scope, bound: set[str]) -> str:
    """Say how a new plain function could change what others do."""
    if isinstance(scope, ast.ClassDef) and (scope.bases or scope.keywords):
        return "may take the place of one of a base class"
    if node.name.startswith("__") or node.name in bound or hasattr(builtins, node.name):
        return "may take the place of something with its name"
    defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    if not all(isinstance(default, ast.Constant) for default in defaults):
        return "has defaults that an import evaluates"
    return ""


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ClassDef):
        yield node.name


def _as_body(node: _Function) -> ast.AST:
    """Return a function without its name, decorators, defaults and annotations."""
    names = [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)]
    kinds = [type(node).__name__, len(node.args.posonlyargs), len(node.args.kwonlyargs)]
    kinds += [node.args.vararg is not None, node.args.kwarg is not None]
    return ast.Module([ast.Expr(ast.Constant(repr((*kinds, *names)))), *node.body], [])


def _signature(node: _Function) -> str:
    """Return a digest of what is evaluated when a plain function is defined; "" if nothing is."""
    arguments = [a for a in ast.walk(node.args) if isinstance(a, ast.arg)]
    evaluated: Iterable[ast.AST | None] = (
        *node.args.defaults,
        *node.args.kw_defaults,
        *(a.annotation for a in arguments),
        node.returns,
    )
    dumps = [ast.dump(part) if part else "" for part in evaluated]
    return hashlib.sha256("\n".join(dumps).encode()).hexdigest() if any(dumps) else ""


class _Without(ast.NodeTransformer):
    """Takes functions out of a tree."""

    def __init__(self, functions: set[ast.AST]) -> None:
        self._functions = functions

    def visit(self, node: ast.AST) -> ast.AST | None:
        return None if node in self._functions else self.generic_visit(node)


def _drop_docstring(scope: _Scope) -> None:
    if ast.get_docstring(scope, clean=False) is not None:
        del scope.body[0]


def _first_line(node: ast.stmt) -> int:
    if isinstance(node, _Function | ast.ClassDef) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno


def _without(whole: Range, parts: Iterable[Range]) -> Iterator[Range]:
    """Yield what is left of a range of lines."""
    begin, end = whole
    for first, last in sorted(parts):
        if begin < first:
            yield begin, first - 1
        begin = max(begin, last + 1)
    if begin <= end:
        yield begin, end


def _joined(one: Block, other: Block) -> Block:
    return Block(
        one.digest + other.digest,
        one.signature + other.signature,
        one.reach or other.reach,
        one.lines + other.lines,
    )


def _digest(tree: ast.AST) -> str:
    return hashlib.sha256(ast.dump(tree).encode(errors="surrogatepass")).hexdigest()
