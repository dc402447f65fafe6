"""``nomock init`` and ``nomock uninstall``: what a project gets for its tests, and its end."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from nomock.cli.show import objects, print_json, print_table, progress
from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.init import Edit, Found, apply, contexts_of, edits, look, removals, stacks_below
from nomock.loading import load
from nomock.paths import standing
from nomock.project import resolve
from nomock.stack import Stack, postgres_candidates


def init(settings: Settings, chosen: argparse.Namespace) -> int:
    """Look at the project, say what was found, and write what is missing, or show it."""
    settings, folder = _chosen_stack(settings, chosen.folder)
    table: dict[str, object] = {}
    if not _is_found_from(folder, settings):
        table["files"] = [
            Path(os.path.relpath(file, folder)).as_posix()
            for file in settings.files
            if file.name != settings.edges_overlay  # which is taken wherever it is
        ]
    if not (chosen.dry_run or os.access(folder, os.W_OK)):
        raise ConfigError(
            "nothing can be written here",
            where=str(folder),
            todo="let this user write there; nomock init --dry-run shows what it would write",
        )
    stack = Stack.of(settings)
    for warning in stack.project.warnings:  # of two files which one counts, of a variable
        print(f"compose warned: {warning}", file=sys.stderr)
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
    wanted = edits(found)
    if chosen.json:
        code = _do_for_programs(found, stack.name, wanted, dry_run=chosen.dry_run)
    else:
        print_table((f"stack {stack.name}", "is", "seen", "Python", "started by"), _rows(found))
        code = _do(wanted, folder, dry_run=chosen.dry_run, then=_next(found))
    if starts:  # what was written into a build context is built now, not in the first run
        _start(Stack.of(settings))
    return code


def uninstall(settings: Settings, chosen: argparse.Namespace) -> int:
    """Take away what `init` wrote; what was changed since stays, and is named."""
    folder = _beside(settings)
    project = resolve(settings) if settings.files else None
    contexts = contexts_of(project, settings.root) if project else []
    found = Found(settings, folder, [], contexts=contexts)
    # Which files it is of is not written any more.
    down = f"docker compose -p {project.name} down" if project else "nomock down"
    then = [f"the stack still runs, if it did: {down}; what nomock knows is in .nomock/"]
    return _do(removals(found), folder, dry_run=chosen.dry_run, then=then)


def _start(stack: Stack) -> None:
    with progress() as line:
        stack.prepare(
            line.show, waiting=line.show_waiting, warn=line.show_lasting, who="nomock init"
        )
    stack.close()


def _chosen_stack(settings: Settings, named: str | None) -> tuple[Settings, Path]:
    """Return the settings of the stack that the tests are to be about, and where these are to be.

    They are where the user stands, and beside the compose file that was found above. Where tests of
    another stack are there already, they are beside the stack that was named.
    """
    folder = standing()
    if named is not None:
        own = load(folder / named) if (folder / named).is_dir() else _of_file(folder, named)
        is_another = bool(settings.files) and own.root != settings.root
        return own, own.root if is_another else folder
    if settings.files:
        return settings, _beside(settings)
    below = stacks_below(folder)
    if not below:
        raise ConfigError(
            "no compose file",
            where=str(folder),
            todo="go to the folder that has it, or name it: nomock --file FILE init",
        )
    if len(below) == 1:
        return _chosen_stack(settings, below[0].relative_to(folder).as_posix())
    shown = [path.relative_to(folder).as_posix() for path in below]
    return _chosen_stack(settings, _choice("folder", "which stack are the tests about", shown))


def _beside(settings: Settings) -> Path:
    """Return where the tests of the stack are that a run from here uses."""
    folder = standing()
    is_above = bool(settings.files) and not settings.root.is_relative_to(folder)
    return settings.root if is_above and "files" not in settings.sources else folder


def _of_file(folder: Path, named: str) -> Settings:
    return load(folder, {"files": [named]})


def _is_found_from(folder: Path, settings: Settings) -> bool:
    """Tell whether a run in a folder finds the stack by itself, or by what pyproject.toml says."""
    found = load(folder)
    return [*found.files] == [*settings.files]


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


def _rows(found: Found) -> list[tuple[str, str, str, str, str]]:
    return [
        (s.name, s.kind, s.reached or s.why_no_test, s.python or "-", s.server or "-")
        for s in found.services
    ]


def _do_for_programs(found: Found, name: str, wanted: list[Edit], *, dry_run: bool) -> int:
    if not dry_run:
        apply(wanted)
    services = objects(("name", "is", "seen", "python", "started_by"), _rows(found))
    changes = [{"verb": edit.verb, "path": _shown(edit)} for edit in wanted]
    told = {"stack": name, "services": services, "is_dry_run": dry_run, "changes": changes}
    print_json({**told, "next": _next(found)})
    return 0


def _shown(edit: Edit) -> str:
    return Path(os.path.relpath(edit.path, standing())).as_posix()


def _do(wanted: list[Edit], folder: Path, *, dry_run: bool, then: list[str]) -> int:
    if dry_run:
        for edit in wanted:
            print(edit.diff(folder), end="")
        return 0
    apply(wanted)
    for edit in wanted:
        print(f"{edit.verb:<8}{_shown(edit)}")
    if not wanted:
        print("nothing to do: all is there")
    for line in then:
        print(line)
    return 0


def _next(found: Found) -> list[str]:
    run = f"{found.runner} pytest".strip()
    if standing() in found.folder.parents:
        run += f" {found.folder.relative_to(standing()).as_posix()}"
    then = f", and {run} --nomock-sidecar-coverage" if found.is_covered else ""
    return [f"next: {found.installs}; then {run}{then}"]
