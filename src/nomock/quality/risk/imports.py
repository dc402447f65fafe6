"""Which module imports which, by the sources of a service: directly, or by way of others."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nomock.coverage.affected.blocks import parse
from nomock.quality.risk.sources import ServiceSources


def importers(sources: Iterable[ServiceSources]) -> dict[Path, set[Path]]:
    """Return file -> the files that import it, directly or not, in any service."""
    used_by: dict[Path, set[Path]] = defaultdict(set)
    for one in sources:
        files = [*one.own, *one.shared]
        by_name = _by_name(files, one.roots)
        for file in files:
            for used in _imported(file, by_name):
                if used != file:
                    used_by[used].add(file)
    return {file: _all_before(file, used_by) for file in used_by}


def _all_before(file: Path, used_by: Mapping[Path, set[Path]]) -> set[Path]:
    seen: set[Path] = set()
    todo = [*used_by[file]]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += used_by.get(one, ())
    return seen - {file}


def _by_name(files: Iterable[Path], roots: Iterable[Path]) -> dict[str, Path]:
    """Return dotted name -> file, for each name by which it may be imported."""
    found: dict[str, Path] = {}
    for file in files:
        top = file.parent
        while (top / "__init__.py").is_file() and top != top.parent:
            top = top.parent
        for root in (top, *(root for root in roots if file.is_relative_to(root))):
            parts = file.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.setdefault(name, file)
    return found


def _imported(file: Path, by_name: Mapping[str, Path]) -> Iterator[Path]:
    try:
        tree = parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    own = [name for name, path in by_name.items() if path == file]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            bases = [node.module or ""]
            if node.level:
                bases = [_above(name, file, node.level, node.module) for name in own]
            names = [f"{base}.{alias.name}" for base in bases for alias in node.names]
        else:
            continue
        for name in names:
            # A name of the module, or the module itself: the longest that there is.
            while name and name not in by_name:
                name = name.rpartition(".")[0]
            if name:
                yield by_name[name]


def _above(name: str, file: Path, level: int, module: str | None) -> str:
    parts = name.split(".")
    package = parts if file.name == "__init__.py" else parts[:-1]
    base = package[: len(package) - (level - 1)]
    return ".".join([*base, *([module] if module else [])])
