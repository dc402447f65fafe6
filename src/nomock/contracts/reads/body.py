"""Look at the statements of one function: what of the environment it reads, and what it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from nomock.contracts.reads.kinds import BY_CALL, TEXT, Kind
from nomock.contracts.reads.model import Argument, Module, RawCall, RawRead, Unit
from nomock.contracts.reads.names import UNKNOWN, Name, Parameter, Piece

_CATCHING = {"KeyError", "LookupError", "Exception", "BaseException", ""}


def dotted(node: ast.expr | None) -> str:
    """Return ``a.b.c`` of an expression that is that; "" of another one."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


@dataclass
class Scope:
    """What all functions of a file know."""

    module: Module
    environments: set[str]
    """The dotted names that are the environment."""
    constants: dict[str, list[str]]
    guarded: set[str] = field(default_factory=set)
    """Variables of which it is asked whether they are set."""

    def is_getenv(self, name: str) -> bool:
        """Tell whether a dotted name is ``os.getenv``."""
        first, _, rest = name.partition(".")
        of = self.module.imported.get(first)
        if of is None or of.module != "os":
            return False
        return rest == "getenv" if not of.attribute else of.attribute == "getenv" and not rest


class Body:
    """Goes through statements in their order, and knows which run for sure."""

    def __init__(self, scope: Scope, unit: Unit) -> None:
        self.scope = scope
        self.unit = unit
        self.is_caught = False

    def run(self, statements: Iterable[ast.stmt], *, is_sure: bool = True) -> None:
        """Look at statements."""
        for statement in statements:
            self._statement(statement, is_sure)
            is_sure = is_sure and not _may_leave(statement)

    def _statement(self, node: ast.stmt, is_sure: bool) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
                    # To hand the environment on as a default is no look at all of it.
                    if part is not None and not self._is_environment(part):
                        self._expression(part, is_sure)
            case ast.ClassDef():
                inner = [n for n in node.body if not isinstance(n, ast.FunctionDef)]
                self.run(inner, is_sure=is_sure)
            case ast.If():
                self._expression(node.test, is_sure)
                is_main = isinstance(node.test, ast.Compare) and (
                    dotted(node.test.left) == "__name__"
                )
                self.run(node.body, is_sure=is_sure and is_main)
                self.run(node.orelse, is_sure=False)
            case ast.Try():
                before, names = self.is_caught, [_caught(h) for h in node.handlers]
                self.is_caught = before or any(_CATCHING & set(n) for n in names)
                self.run(node.body, is_sure=is_sure)
                self.is_caught = before
                for handler in node.handlers:
                    self.run(handler.body, is_sure=False)
                self.run(node.orelse, is_sure=False)
                self.run(node.finalbody, is_sure=is_sure)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._children(node, is_sure, [*node.body, *node.orelse])
                is_fixed = isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple | ast.List)
                self.run(node.body, is_sure=is_sure and is_fixed)
                self.run(node.orelse, is_sure=False)
            case ast.With() | ast.AsyncWith():
                self._children(node, is_sure, node.body)
                caught = any(_suppresses(item.context_expr) for item in node.items)
                before, self.is_caught = self.is_caught, self.is_caught or caught
                self.run(node.body, is_sure=is_sure)
                self.is_caught = before
            case ast.Match():
                self._expression(node.subject, is_sure)
                for case in node.cases:
                    self.run(case.body, is_sure=False)
            case _:
                self._assigned(node)
                self._children(node, is_sure, [])

    def _assigned(self, node: ast.stmt) -> None:
        """Note what the file makes (``env = Env()``), and which variables it sets."""
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Subscript) and self._is_environment(target.value):
                self.scope.module.sets |= {n.literal or "" for n in self._names(target.slice)}
            elif called := _called(node):
                self.scope.module.made.setdefault(dotted(target), called)

    def _children(self, node: ast.AST, is_sure: bool, skipped: Iterable[ast.AST]) -> None:
        left_out = set(map(id, skipped))
        for child in ast.iter_child_nodes(node):
            if id(child) not in left_out:
                self._expression(child, is_sure)

    def _expression(self, node: ast.AST, is_sure: bool, kind: Kind = TEXT) -> None:
        match node:
            case ast.Lambda():
                self._expression(node.body, False)
            case ast.BoolOp():
                self._expression(node.values[0], is_sure, kind)
                for value in node.values[1:]:
                    self._expression(value, False, kind)
            case ast.IfExp():
                self._expression(node.test, is_sure)
                self._expression(node.body, False, kind)
                self._expression(node.orelse, False, kind)
            case ast.Subscript() if self._mapping(node.value) is not None:
                if isinstance(node.ctx, ast.Load):
                    strict = not self.is_caught
                    self._read(node.value, node.slice, node, strict, None, kind, is_sure)
            case ast.Call():
                self._call(node, is_sure, kind)
            case ast.Compare() if self._is_environment(node.comparators[0]):
                for name in self._names(node.left):
                    self._add(RawRead(name, node.lineno, False, True, is_sure=is_sure))
            case ast.Assign() if self._is_environment(node.value):
                return  # only another name for it
            case ast.Dict() if any(key is None for key in node.keys):
                # {**os.environ, ...} is what a child process gets, in most programs.
                for value in node.values:
                    if not self._is_environment(value):
                        self._expression(value, is_sure)
            case ast.Attribute() | ast.Name() if self._is_environment(node):
                self.scope.module.is_dynamic = True
            case ast.Attribute() | ast.Name() if dotted(node):
                self.unit.mentions.add(dotted(node))
            case _:
                self._children(node, is_sure, [])

    def _call(self, node: ast.Call, is_sure: bool, kind: Kind) -> None:
        target = dotted(node.func)
        inner = BY_CALL.get(target, TEXT)
        mapping, method = None, ""
        if isinstance(node.func, ast.Attribute):
            owner, method = node.func.value, node.func.attr
            if dotted(owner) and self._mapping(owner) is not None:
                mapping = owner
        if node.args and (
            self.scope.is_getenv(target)
            or (mapping is not None and method in {"get", "setdefault", "pop", "__getitem__"})
        ):
            default = node.args[1] if len(node.args) > 1 else None
            default = next((k.value for k in node.keywords if k.arg == "default"), default)
            strict = method in {"pop", "__getitem__"} and default is None and not self.is_caught
            self._read(mapping, node.args[0], node, strict, default, kind, is_sure)
            if method == "setdefault":
                self.scope.module.sets |= {n.literal or "" for n in self._names(node.args[0])}
            if default is not None:
                self._expression(default, False)
            return
        if mapping is not None and dotted(mapping) in self.scope.environments:
            if method not in {"copy", "update"}:
                self.scope.module.is_dynamic = True
        elif target:
            self.unit.calls.append(self._as_call(node, target, is_sure, kind))
            self.scope.module.is_dynamic |= target in {"os.path.expandvars", "expandvars"}
        if isinstance(node.func, ast.Attribute) and mapping is None:
            self._expression(node.func.value, is_sure)
        for argument in node.args:
            if not self._is_environment(argument):
                self._expression(argument, is_sure, inner)
            elif target in {"dict", "list", "sorted", "set"}:
                self.scope.module.is_dynamic = True
        for keyword in node.keywords:
            if not self._is_environment(keyword.value):
                self._expression(keyword.value, is_sure)

    def _as_call(self, node: ast.Call, target: str, is_sure: bool, kind: Kind) -> RawCall:
        keywords = {k.arg: self._argument(k.value) for k in node.keywords if k.arg}
        cast = next((dotted(k.value) for k in node.keywords if k.arg == "cast"), "")
        starred = any(isinstance(a, ast.Starred) for a in node.args)
        positional = () if starred else tuple(self._argument(a) for a in node.args)
        return RawCall(target, positional, keywords, node.lineno, kind, cast, is_sure)

    def _argument(self, node: ast.expr) -> Argument:
        is_none = isinstance(node, ast.Constant) and node.value is None
        names = self._names(node)
        # A loop over names hands on each; all but the first are looked at as reads of a pattern.
        return Argument(names[0] if names else UNKNOWN, self._is_environment(node), is_none)

    def _read(
        self,
        mapping: ast.expr | None,
        name: ast.expr,
        node: ast.expr,
        strict: bool,
        default: ast.expr | None,
        kind: Kind,
        is_sure: bool,
    ) -> None:
        is_none = isinstance(default, ast.Constant) and default.value is None
        parameter = dotted(default) if dotted(default) in self.unit.parameters else ""
        read = RawRead(
            UNKNOWN, node.lineno, strict, default is not None and not is_none, parameter, kind
        )
        source = self._mapping(mapping) if mapping is not None else ""
        for found in self._names(name):
            is_guarded = found.literal in self.scope.guarded
            self._add(
                replace(
                    read,
                    name=found,
                    is_strict=strict and not is_guarded,
                    is_sure=is_sure,
                    mapping=source or "",
                )
            )

    def _add(self, read: RawRead) -> None:
        if read.name.literal is None and not read.name.parameters and not read.name.pattern:
            self.scope.module.is_dynamic |= not read.mapping
            return
        self.unit.reads.append(read)

    def _names(self, node: ast.expr) -> list[Name]:
        """Return what an expression may be as a name."""
        match node:
            case ast.Constant(value=str(text)):
                return [Name((text,))]
            case ast.Name(id=text) if text in self.unit.parameters:
                return [Name((Parameter(text),))]
            case ast.Name(id=text) if text in self.scope.constants:
                return [Name((one,)) for one in self.scope.constants[text]]
            case ast.JoinedStr():
                return [Name(tuple(p for v in node.values for p in self._pieces(v)))]
            case ast.BinOp(op=ast.Add()):
                return [Name((*self._pieces(node.left), *self._pieces(node.right)))]
        return [UNKNOWN]

    def _pieces(self, node: ast.expr) -> tuple[Piece, ...]:
        inner = node.value if isinstance(node, ast.FormattedValue) else node
        return self._names(inner)[0].pieces

    def _is_environment(self, node: ast.AST) -> bool:
        return isinstance(node, ast.expr) and dotted(node) in self.scope.environments

    def _mapping(self, node: ast.expr) -> str | None:
        """Return "" of the environment, of a parameter its name; None of all else."""
        name = dotted(node)
        if name in self.scope.environments:
            return ""
        return name if name in self.unit.parameters else None


def _caught(handler: ast.ExceptHandler) -> list[str]:
    of = handler.type
    return [dotted(one) for one in of.elts] if isinstance(of, ast.Tuple) else [dotted(of)]


def _suppresses(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "suppress"


def _called(node: ast.stmt) -> str:
    """Return what is called in ``x = called()``."""
    value = node.value if isinstance(node, ast.Assign) else None
    return dotted(value.func) if isinstance(value, ast.Call) else ""


def _may_leave(node: ast.stmt) -> bool:
    """Tell whether what follows a statement may not run, though nothing failed."""
    return isinstance(node, ast.If) and any(
        isinstance(n, ast.Return | ast.Continue | ast.Break) for n in ast.walk(node)
    )
