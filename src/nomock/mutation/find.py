"""All mutants of a module: those that compile, and to something else than the module does."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from nomock.errors import MutationError
from nomock.mutation.arid import children, is_arid
from nomock.mutation.bytecode import Compiled
from nomock.mutation.module import Function, Module
from nomock.mutation.mutant import Mutant
from nomock.mutation.operators import ALL, Change, Operator


def mutants_of(path: str, source: str, *, operators: Iterable[Operator] = ALL) -> list[Mutant]:
    """Return the mutants of a module in the order of their places.

    ``path`` is relative to the project. Left out are those that do not compile, those that
    compile to the same bytecode as the module (no test can notice them), and all but the first
    of those that compile to the same. Raises MutationError where the running Python does not
    understand the source: that may be one for a newer Python.
    """
    try:
        module = Module(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise MutationError(
            f"is no source for Python {version}, so that it has no mutants",
            where=path,
            seen=str(error),
            todo="run the tests with the Python of the service, or leave the file out",
        ) from error
    compiled = Compiled(module)
    by_kind: defaultdict[type[ast.AST], list[Operator]] = defaultdict(list)
    for operator in operators:
        for kind in operator.nodes:
            by_kind[kind].append(operator)
    found: list[tuple[Change, str, str]] = []
    seen: set[Change] = set()
    for node, qualname in _nodes(module):
        for operator in by_kind[type(node)]:
            for change in operator.changes(node, module):
                if change not in seen and compiled.is_new(change):
                    seen.add(change)
                    found.append((change, qualname, operator.name))
    found.sort(key=lambda one: (one[0].begin, one[0].end))
    occurrences: Counter[tuple[str, ...]] = Counter()
    return [_mutant(path, module, *one, occurrences) for one in found]


def _mutant(
    path: str,
    module: Module,
    change: Change,
    qualname: str,
    operator: str,
    occurrences: Counter[tuple[str, ...]],
) -> Mutant:
    original = module.text[change.begin : change.end]
    lines = module.lines_of(change.begin, change.end)
    same = (path, qualname, operator, lines, original, change.replacement)
    occurrences[same] += 1
    identity = "\0".join((*same, str(occurrences[same])))
    line, column = module.place(change.begin)
    end_line, end_column = module.place(change.end)
    return Mutant(
        id=hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:10],
        path=path,
        qualname=qualname,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        operator=operator,
        original=original,
        replacement=change.replacement,
    )


def _nodes(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each node that may be mutated, with the function that runs it."""
    todo: list[tuple[ast.AST, str, str]] = [(module.tree, "", "")]
    while todo:
        node, function, prefix = todo.pop()
        if is_arid(node):
            continue
        yield node, function
        inside = f"{prefix}{getattr(node, 'name', '')}."
        body = set(node.body) if isinstance(node, Function) else set()
        for child in reversed(children(node)):
            if child in body:
                todo.append((child, inside.removesuffix("."), inside))
            else:
                todo.append((child, function, inside if isinstance(node, ast.ClassDef) else prefix))
