"""Look at one Python file: its imports, classes and functions."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import PurePosixPath

from nomock.contracts.reads.body import Body, Scope, dotted
from nomock.contracts.reads.kinds import INTEGER, NUMBER, TEXT, of_annotation
from nomock.contracts.reads.model import ClassSeen, Field, Imported, Module, Unit

_ENVIRONMENT = "os.environ"
# These hand a function to nobody.
_PLAIN_DECORATORS = {"classmethod", "staticmethod", "property", "cached_property", "override"}
_PLAIN_DECORATORS |= {"functools.cached_property", "typing.override", "abstractmethod"}
_PLAIN_DECORATORS |= {"functools.cache", "cache", "lru_cache", "contextmanager"}
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def scan(path: PurePosixPath, text: str) -> Module | None:
    """Return what a file has; None where it is no Python that this Python can read."""
    try:
        with warnings.catch_warnings():  # of an invalid escape in the user's own source
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    module = Module(path)
    _imports(module, tree)
    scope = Scope(module, _environments(module, tree), _constants(tree))
    scope.guarded |= _guarded(scope, tree)
    _functions(scope, tree, "")
    module.units[""] = Unit("")
    Body(scope, module.units[""]).run(tree.body)
    return module


def _imports(module: Module, tree: ast.Module) -> None:
    own = set(map(id, tree.body))
    package = module.parts if module.path.name == "__init__.py" else module.parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                is_whole = alias.asname is not None
                name = alias.name if is_whole else alias.name.partition(".")[0]
                module.imported.setdefault(
                    alias.asname or name, Imported(name, is_sure=id(node) in own)
                )
                # The other parts of `import a.b` are loaded, too.
                module.imported.setdefault(f" {alias.name}", Imported(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package[: len(package) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            for alias in node.names:
                name = f" {base}" if alias.name == "*" else alias.asname or alias.name
                attribute = "" if alias.name == "*" else alias.name
                module.imported.setdefault(name, Imported(base, attribute, id(node) in own))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            module.strings |= (
                {node.value} if re.fullmatch(r"[\w.:()]{3,200}", node.value) else set()
            )


def _environments(module: Module, tree: ast.Module) -> set[str]:
    """Return the dotted names that are the environment: ``os.environ``, and its other names."""
    found = {f"{name}.environ" for name, of in module.imported.items() if of == Imported("os")}
    for name, of in module.imported.items():
        if of.module == "os" and of.attribute in {"", "environ"}:
            found.add(name if of.attribute else f"{name}.environ")
    found.add(_ENVIRONMENT)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and dotted(node.value) in found:
            found |= {dotted(target) for target in node.targets} - {""}
    return found


def _constants(tree: ast.Module) -> dict[str, list[str]]:
    """Return names that stand for texts: a constant, or what a loop takes from a list of texts."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        target: ast.expr | None = None
        if isinstance(node, ast.For | ast.comprehension):
            target, value = node.target, node.iter
            texts = _texts(value) if isinstance(value, ast.Tuple | ast.List | ast.Set) else []
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and node in tree.body:
            target, texts = node.targets[0], _texts(node.value)
        if isinstance(target, ast.Name) and texts:
            found[target.id] = texts
    return found


def _texts(value: ast.expr) -> list[str]:
    values = value.elts if isinstance(value, ast.Tuple | ast.List | ast.Set) else [value]
    texts = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    return texts if len(texts) == len(values) else []


def _guarded(scope: Scope, tree: ast.Module) -> set[str]:
    """Return the variables of which the file asks whether they are set."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.In | ast.NotIn):
            continue
        if dotted(node.comparators[0]) in scope.environments:
            found |= set(_texts(node.left))
    return found


def _functions(scope: Scope, node: ast.AST, prefix: str) -> None:
    """Look at all functions below a node, those in classes and in functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            name = f"{prefix}{child.name}"
            unit = _unit(scope, child, name)
            scope.module.units[name] = unit
            Body(scope, unit).run(child.body)
            _functions(scope, child, f"{name}.")
        elif isinstance(child, ast.ClassDef):
            name = f"{prefix}{child.name}"
            scope.module.classes[name] = _class(child, name)
            _functions(scope, child, f"{name}.")
        else:
            _functions(scope, child, prefix)


def _unit(scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Unit:
    spec = node.args
    plain = [*spec.posonlyargs, *spec.args]
    defaults: dict[str, ast.expr] = dict(
        zip([a.arg for a in reversed(plain)], reversed(spec.defaults), strict=False)
    )
    defaults |= {
        a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None
    }
    none = {n for n, d in defaults.items() if isinstance(d, ast.Constant) and d.value is None}
    returns = of_annotation(ast.unparse(node.returns)) if node.returns else TEXT
    skipped = 1 if plain and plain[0].arg in {"self", "cls"} else 0
    return Unit(
        name,
        tuple(a.arg for a in [*plain[skipped:], *spec.kwonlyargs]),
        frozenset(none),
        frozenset(defaults.keys() - none),
        returns if returns in (INTEGER, NUMBER) else TEXT,
        any(isinstance(n, ast.Raise) or _ends(n) for n in ast.walk(node)),
        any(dotted(d) not in _PLAIN_DECORATORS for d in map(_called, node.decorator_list)),
        any(dotted(d) in {"classmethod", "staticmethod"} for d in node.decorator_list),
    )


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _ends(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func) in {"sys.exit", "exit", "os._exit"}


def _class(node: ast.ClassDef, name: str) -> ClassSeen:
    seen = ClassSeen(name, tuple(filter(None, (dotted(base) for base in node.bases))))
    for child in node.body:
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            annotation = ast.unparse(child.annotation)
            if "ClassVar" not in annotation and not child.target.id.startswith("_"):
                seen.fields.append(_field(child, child.target.id, annotation))
        elif isinstance(child, ast.Assign) and dotted(child.targets[0]) == "model_config":
            if isinstance(child.value, ast.Call | ast.Dict):
                seen.config |= _config(child.value)
        elif isinstance(child, ast.ClassDef) and child.name == "Config":
            for line in child.body:
                if isinstance(line, ast.Assign):
                    seen.config[dotted(line.targets[0])] = _written(line.value)
    return seen


def _field(node: ast.AnnAssign, name: str, annotation: str) -> Field:
    value = node.value
    if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] == "Field":
        given = {k.arg: k.value for k in value.keywords}
        first = value.args[0] if value.args else given.get("default")
        is_given = first is not None and not _is_ellipsis(first)
        named = [given[k] for k in ("validation_alias", "alias", "env") if k in given]
        aliases = [c.value for n in named[:1] for c in ast.walk(n) if isinstance(c, ast.Constant)]
        has_default = is_given or "default_factory" in given
        return Field(name, node.lineno, annotation, has_default, tuple(map(str, aliases)))
    has_default = value is not None and not _is_ellipsis(value)
    return Field(name, node.lineno, annotation, has_default, ())


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _config(node: ast.Call | ast.Dict) -> dict[str, str]:
    if isinstance(node, ast.Call):
        return {k.arg: _written(k.value) for k in node.keywords if k.arg}
    pairs = zip(node.keys, node.values, strict=True)
    return {_written(k): _written(v) for k, v in pairs if k is not None}


def _written(node: ast.expr) -> str:
    """Return a constant as text; several joined by spaces; "" for what is computed."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return " ".join(_texts(node)) if isinstance(node, ast.Tuple | ast.List) else ""
