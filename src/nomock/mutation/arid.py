"""Code whose mutants say nothing: what nobody should write a test for.

The idea, and most of the list, are of Petrović, Ivanković, Fraser and Just, "Practical Mutation
Testing at Scale" (2021), which calls such nodes of a syntax tree arid.
"""

from __future__ import annotations

import ast
import re
import sys

from nomock.mutation.operators.names import called, dotted, last_name

_LOGS = re.compile(r"log|logger|logging|_log|_logger", re.IGNORECASE)
_LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"}
)
_TELLS = frozenset({"print", "warnings.warn", "logging.getLogger", "getLogger"})
_NAMES_OF_TYPES = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple", "NewType"})
_OF_THE_MODULE = re.compile(r"__\w+__")
_ANNOTATIONS = frozenset({"annotation", "returns", "type_params", "decorator_list", "msg"})
# Before, Python says of what is in them only roughly where it is.
_HAS_PLACES_IN_F_STRINGS = sys.version_info >= (3, 12)


def is_arid(node: ast.AST) -> bool:
    """Return whether neither a node nor anything in it is to be mutated."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or _tells(node.value)
    if isinstance(node, ast.If):
        return _is_of_types(node.test) or _is_main(node.test)
    if isinstance(node, ast.FunctionDef):
        return node.name == "__repr__" or _is_overload(node)
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(_OF_THE_MODULE.fullmatch(dotted(target)) for target in targets):
            return True
        return node.value is not None and _last_called(node.value) in _NAMES_OF_TYPES
    if isinstance(node, ast.Raise):
        return node.exc is not None and _raised(node.exc) == "NotImplementedError"
    if isinstance(node, ast.Call):
        return called(node) in _TELLS
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Assert) or _is_type_alias(node)


def children(node: ast.AST) -> list[ast.AST]:
    """Return what of a node may be mutated: all but annotations, decorators and names of types."""
    if isinstance(node, ast.JoinedStr) and not _HAS_PLACES_IN_F_STRINGS:
        return []
    found: list[ast.AST] = []
    for name, value in ast.iter_fields(node):
        if name not in _ANNOTATIONS:
            parts = value if isinstance(value, list) else [value]
            found += [part for part in parts if isinstance(part, ast.AST)]
    if isinstance(node, ast.Call) and last_name(node.func) == "cast" and node.args:
        found.remove(node.args[0])
    return found


def _tells(node: ast.expr) -> bool:
    """Return whether a call only writes into a log."""
    *before, last = called(node).split(".")
    if called(node) in _TELLS:
        return True
    return last in _LEVELS and any(_LOGS.fullmatch(name) for name in before)


def _is_of_types(test: ast.expr) -> bool:
    return last_name(test) == "TYPE_CHECKING"


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and dotted(test.left) == "__name__"


def _is_overload(node: ast.FunctionDef) -> bool:
    return any(last_name(each) == "overload" for each in node.decorator_list)


def _raised(node: ast.expr) -> str:
    return _last_called(node) if isinstance(node, ast.Call) else last_name(node)


def _is_type_alias(node: ast.AST) -> bool:
    return type(node).__name__ == "TypeAlias"


def _last_called(node: ast.AST) -> str:
    """Return the last name of what a call calls; "" for anything else."""
    return called(node).rpartition(".")[2]
