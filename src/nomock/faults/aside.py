"""Gives up what cannot be healed: its journal is moved away, and told is what may be broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nomock.errors import FaultError, NomockError
from nomock.errors.words import in_words
from nomock.faults.fault import ANEW
from nomock.faults.janitor import NotHealed, fault_of, try_to_heal
from nomock.faults.left import orphaned_journals
from nomock.project import Project
from nomock.stack import Stack


@dataclass(frozen=True)
class Lost:
    """A fault that nobody will heal any more."""

    name: str
    test: str
    """The test that put it on; "" where the journal does not tell."""
    why: str
    by_hand: str
    """What may be broken still, and how that is undone by hand."""
    journal: Path
    """Where its journal is now."""


def set_aside(stack: Stack, say: Callable[[str], None]) -> list[Lost]:
    """Heal what can be, and move the journals of the rest away; return what is lost by that.

    Needs no engine. Raises FaultError where a journal cannot be moved; the others are.
    """
    state_dir = stack.settings.state_dir
    reason = ""
    failed: list[NotHealed] = []
    try:
        _, failed = try_to_heal(stack, say, starts=True)
    except NomockError as error:
        reason = str(error)
    lost, stuck = [], list[str]()
    with orphaned_journals(state_dir, stack.name) as journals:
        for path, entries in journals:
            if reason:
                of_it = [NotHealed(path, entry, reason) for entry in entries]
            else:
                of_it = [one for one in failed if one.journal == path]
                if not of_it:
                    continue  # left since then
            try:
                moved = _move(path, state_dir / "set-aside" / stack.name)
            except OSError as error:
                stuck.append(str(error))
            else:
                lost += [_lost(one, stack.project, moved) for one in of_it]
    if stuck:
        raise FaultError(
            "a journal cannot be moved away",
            where=f"faults that killed runs left on stack {stack.name}",
            seen="\n".join([*stuck, *(str(one) for one in lost)]),
            todo="free space there, or remove it as the user whom it belongs to",
        )
    return lost


def _lost(one: NotHealed, project: Project, moved: Path) -> Lost:
    try:
        by_hand = fault_of(one.entry).by_hand(project)
    except NomockError:
        by_hand = f"whatever it did may be broken still: {ANEW}"
    return Lost(one.entry.name, one.entry.test, one.why, in_words(by_hand), moved)


def _move(path: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    return path.rename(target)
