"""Mutants that are set aside: each with a reason that is committed, and so reviewed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from nomock.errors import MutationError
from nomock.mutation.mutant import Mutant

FILE = "mutants-aside.toml"
"""Its name, in the project's folder."""

_HEAD = """\
# Mutants that no test can notice, or need not, each with the reason: nomock docs quality.
# An entry is about one change of one line; when that line changes, it is void.
"""


@dataclass(frozen=True)
class Aside:
    """A mutant that is set aside."""

    id: str
    path: str
    operator: str
    original: str
    replacement: str
    reason: str


def read_asides(file: Path) -> list[Aside]:
    """Return the entries of the file, in its order; none where there is no file.

    Raises MutationError for a file that cannot be read, for an entry that lacks something or has
    something else, for one without a reason, and for a mutant that is there twice.
    """
    try:
        return _parsed(file.read_text(encoding="utf-8"), file)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from error


def add_aside(file: Path, mutant: Mutant, reason: str) -> None:
    """Add an entry at the end of the file, which is made where there is none.

    Raises MutationError where there is an entry of this mutant, where the reason is empty, and
    where the file cannot be read or written.
    """
    entry = Aside(
        mutant.id, mutant.path, mutant.operator, mutant.original, mutant.replacement, reason.strip()
    )
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else _HEAD
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from error
    text = f"{before.rstrip()}\n\n[[aside]]\n"
    for field in fields(Aside):
        text += f"{field.name} = {_string(getattr(entry, field.name))}\n"
    _parsed(text, file)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MutationError("cannot be written", where=str(file), seen=str(error)) from error


def stale_asides(
    asides: Iterable[Aside], mutants: Iterable[Mutant], paths: Collection[str]
) -> list[Aside]:
    """Return the entries of some files that are about no mutant of these files any more.

    ``paths`` are those whose mutants are given; a file that is gone is one of them.
    """
    known = {mutant.id for mutant in mutants}
    return [entry for entry in asides if entry.path in paths and entry.id not in known]


def _parsed(text: str, file: Path) -> list[Aside]:
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(file, str(error)) from error
    entries = told.pop("aside", [])
    if told or not isinstance(entries, list):
        raise _unreadable(
            file, f"there is {', '.join(told) or 'no list'}, and only [[aside]] may be"
        )
    found: dict[str, Aside] = {}
    for number, entry in enumerate(entries, 1):
        aside = _entry(entry, f"{file}, [[aside]] {number}")
        if aside.id in found:
            raise _unreadable(file, f"the mutant {aside.id} is set aside twice")
        found[aside.id] = aside
    return list(found.values())


def _entry(entry: object, where: str) -> Aside:
    names = [field.name for field in fields(Aside)]
    given = entry if isinstance(entry, dict) else {}
    wrong = [n for n in names if not isinstance(given.get(n), str)] + [*(given.keys() - set(names))]
    if wrong:
        raise MutationError(
            "is not of the form that it is to have",
            where=where,
            seen=f"missing, not a text or not known: {', '.join(wrong)}",
            todo=f"give it {', '.join(names)}, each a text",
        )
    if not given["reason"].strip():
        raise MutationError(
            "a mutant is set aside without a reason",
            where=where,
            todo="say why no test can notice it: whoever reviews the change is to judge that",
        )
    return Aside(**given)


def _unreadable(file: Path, seen: str) -> MutationError:
    return MutationError("cannot be read", where=str(file), seen=seen, todo=f"mend {file.name}")


def _string(text: str) -> str:
    """Return a basic string of TOML: JSON's escapes are among its own, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
