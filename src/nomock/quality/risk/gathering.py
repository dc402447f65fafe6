"""All that is known of the modules of a project: each part, or why it is missing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nomock.adapters.git import History, history_of
from nomock.config import Settings
from nomock.coverage.harvest.contexts import Contexts
from nomock.coverage.session import data_dir
from nomock.errors import CoverageError, QualityError
from nomock.quality.left import MutatedFile, Mutation, left
from nomock.quality.risk.assessing import Depth, Module, Risks, assess
from nomock.quality.risk.calls import callers, edges_between, equipment
from nomock.quality.risk.complexity import Function, functions_of
from nomock.quality.risk.depth import depth_of
from nomock.quality.risk.imports import importers
from nomock.quality.risk.sources import services_by_file, sources_of
from nomock.stack import Stack

MONTHS = 12


def risks_of(settings: Settings) -> Risks:
    """Return the modules of a project's services; raise QualityError where none is in Python."""
    stack = Stack.of(settings)
    sources = sources_of(stack.project, without=equipment(stack.project))
    used_by = importers(sources)
    services = services_by_file(sources, used_by)
    if not services:
        raise QualityError(
            "no service of this stack has a Python source here",
            where=f"stack {stack.name}",
            todo="risk is told of what is built here, or mounted; other languages are not read",
        )
    notes: list[str] = []
    history = _history(settings, notes)
    contexts = _contexts(settings, notes)
    mutated = _mutated(settings, notes)
    calling = callers(edges_between(stack))
    modules = []
    for file in sorted(services):
        try:
            functions = functions_of(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            notes.append(f"{_shown(settings, file)} is left out: {error}")
            continue
        if not functions:
            continue  # names and values: nothing in it can go wrong by itself
        worst = max(functions, key=lambda function: function.complexity)
        change = history.changes.get(file) if history else None
        shown = _shown(settings, file)
        modules.append(
            Module(
                path=shown,
                services=tuple(sorted(services[file])),
                importers=len(used_by.get(file, ())),
                callers=len({c for name in services[file] for c in calling.get(name, ())}),
                complexity=sum(function.complexity for function in functions),
                worst=worst.name,
                worst_complexity=worst.complexity,
                commits=(change.commits if change else 0) if history else None,
                lines=(change.lines if change else 0) if history else None,
                depth=_depth(file, functions, contexts, mutated.get(shown), notes),
            )
        )
    return assess(modules, notes)


def _history(settings: Settings, notes: list[str]) -> History | None:
    history = history_of(settings.root, MONTHS)
    if history is None:
        notes.append("change is not known: this is no git repository with a commit")
    elif history.all_commits == 1 and not history.is_shallow:
        notes.append("change is not known: there is one commit, which made all of it")
        return None
    elif history.is_shallow:
        notes.append("change is known in part: this clone is shallow; git fetch --unshallow")
    elif not history.commits:
        notes.append(f"nothing was committed in {MONTHS} months: no module changes")
    return history


def _contexts(settings: Settings, notes: list[str]) -> Contexts | None:
    try:
        return Contexts.of(data_dir(settings))
    except CoverageError as error:
        notes.append(f"which tests run what is not known: {error.what}; {error.todo}")
        return None


def _mutated(settings: Settings, notes: list[str]) -> Mapping[str, MutatedFile]:
    try:
        found = left(settings.state_dir, Mutation)
    except QualityError as error:
        notes.append(f"mutants are not known: {error.what}: {error.seen}")
        return {}
    if found is None:
        notes.append("what tests would notice is not known: no mutants were tried yet")
        return {}
    return {file.path: file for file in found.files}


def _depth(
    file: Path,
    functions: list[Function],
    contexts: Contexts | None,
    mutated: MutatedFile | None,
    notes: list[str],
) -> Depth:
    try:
        return depth_of(file, functions, contexts, mutated)
    except CoverageError as error:
        notes.append(str(error).replace("\n", " "))
        return depth_of(file, functions, None, mutated)


def _shown(settings: Settings, file: Path) -> str:
    return Path(os.path.relpath(file, settings.root)).as_posix()
