"""``nomock init`` and ``nomock uninstall``: what a project gets for its tests, and its end."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from nomock.cli.show import print_table, progress
from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.init import Edit, Found, apply, contexts_of, edits, look, removals, stacks_below
from nomock.loading import load
from nomock.paths import standing
from nomock.project import resolve
from nomock.stack import Stack, postgres_candidates


def init(settings: Settings, chosen: argparse.Namespace) -> int:
    """Look at the project, say what was found, and write what is missing, or show it."""
    folder = standing()
    table: dict[str, object] = {}
    if not settings.files:
        settings = _of_one_below(folder, chosen.folder)
        table["files"] = [os.path.relpath(file, folder) for file in settings.files[:1]]
    elif not settings.root.is_relative_to(folder):
        folder = settings.root
    stack = Stack.of(settings)
    candidates = [] if settings.postgres else postgres_candidates(stack.project)
    if len(candidates) > 1:
        table["postgres"] = chosen.postgres or _choice(
            "postgres", "which service is the database", candidates
        )
        settings = replace(settings, postgres=str(table["postgres"]))
        stack = Stack.of(settings)
    running = {c.service for c in stack.containers() if c.state == "running"}
    waits_for = {*stack.project.wanted} - stack.project.one_shots - running
    starts = bool(waits_for) and not (chosen.no_start or chosen.dry_run)
    if starts:
        _start(stack)
    found = look(settings, folder, stack, table)
    stack.close()
    _show(found, stack.name)
    code = _do(edits(found), folder, dry_run=chosen.dry_run, then=_next(found))
    if starts:  # what was written into a build context is built now, not in the first run
        _start(Stack.of(settings))
    return code


def uninstall(settings: Settings, chosen: argparse.Namespace) -> int:
    """Take away what `init` wrote; what was changed since stays, and is named."""
    folder = standing()
    contexts = contexts_of(resolve(settings), settings.root) if settings.files else []
    found = Found(settings, folder, [], contexts=contexts)
    then = ["the stack still runs, if it did: nomock down; what nomock knows is in .nomock/"]
    return _do(removals(found), folder, dry_run=chosen.dry_run, then=then)


def _start(stack: Stack) -> None:
    with progress() as line:
        stack.prepare(
            line.show, waiting=line.show_waiting, warn=line.show_lasting, who="nomock init"
        )
    stack.close()


def _of_one_below(folder: Path, named: str | None) -> Settings:
    """Return the settings of the one stack below a folder that has none itself."""
    below = stacks_below(folder)
    if named is None and len(below) > 1:
        shown = [path.relative_to(folder).as_posix() for path in below]
        named = _choice("folder", "which stack are the tests about", shown)
    if named is None and not below:
        raise ConfigError(
            "no compose file",
            where=str(folder),
            todo="go to the folder that has it, or name it: nomock --file FILE init",
        )
    return load(folder / named if named else below[0])


def _choice(option: str, question: str, candidates: list[str]) -> str:
    """Return the one that the user chooses; raise ConfigError where nobody is there to ask."""
    if not sys.stdin.isatty():
        command = f"nomock init {'' if option == 'folder' else f'--{option} '}{candidates[0]}"
        raise ConfigError(
            f"{question}?", where="nomock init", seen=", ".join(candidates), todo=command
        )
    for number, name in enumerate(candidates, 1):
        print(f"  {number}  {name}")
    while True:
        given = input(f"{question}? ").strip()
        if given in candidates:
            return given
        if given.isdigit() and 0 < int(given) <= len(candidates):
            return candidates[int(given) - 1]


def _show(found: Found, name: str) -> None:
    body = [
        (s.name, s.kind, s.reached or s.why_no_test, s.python or "-", s.server or "-")
        for s in found.services
    ]
    print_table((f"stack {name}", "is", "seen", "Python", "started by"), body)


def _do(wanted: list[Edit], folder: Path, *, dry_run: bool, then: list[str]) -> int:
    if dry_run:
        for edit in wanted:
            print(edit.diff(folder), end="")
        return 0
    apply(wanted)
    for edit in wanted:
        print(f"{edit.verb:<8}{Path(os.path.relpath(edit.path, folder)).as_posix()}")
    if not wanted:
        print("nothing to do: all is there")
    for line in then:
        print(line)
    return 0


def _next(found: Found) -> list[str]:
    run = f"{found.runner} pytest".strip()
    return [f"next: {found.installs}; then {run}, and {run} --nomock-sidecar-coverage"]
