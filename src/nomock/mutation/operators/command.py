"""Commands with a typing mistake."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nomock.mutation.module import Module
from nomock.mutation.operators.literals import literal_spans
from nomock.mutation.operators.names import NAMING, called, named_values
from nomock.mutation.operators.operator import Change

_RUNS = ("subprocess.", "create_subprocess_exec", "create_subprocess_shell", "os.exec", "os.spawn")
_NAMES = frozenset({"args", "argv", "cmd", "command", "entrypoint"})


class MisspeltCommand:
    """Misspells an argument of a command."""

    name = "misspelt-command"
    about = "misspells the program or an argument of a command that is run"
    nodes = NAMING

    def changes(self, node: ast.AST, module: Module) -> Iterator[Change]:
        """Yield each string of a command with a letter more."""
        for word in _words(node):
            spans = literal_spans(word, module)
            if spans and spans[-1][0] < spans[-1][1]:
                end = spans[-1][1]
                begin, after = module.span(word)
                yield Change(begin, after, f"{module.text[begin:end]}x{module.text[end:after]}")


def _words(node: ast.AST) -> Iterator[ast.expr]:
    lists = [value for name, value in named_values(node) if name.lower() in _NAMES]
    if isinstance(node, ast.Call) and any(name in called(node) for name in _RUNS):
        lists += node.args
    for each in lists:
        parts = each.elts if isinstance(each, ast.List | ast.Tuple) else [each]
        yield from (part for part in parts if _is_text(part))


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.JoinedStr)
