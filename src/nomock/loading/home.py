"""Which folder has the stack that a run is about.

Compose looks for its files in the folder where it is called, then upwards. A run of pytest is also
about the folders that its arguments point at. So these are looked at, the first that has a stack
decides: where the user stands; below it, where the arguments point; upwards from where the user
stands; upwards from where the arguments point. Both ``pytest`` and ``nomock`` choose by this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.config import COMPOSE_NAMES
from nomock.converters import CONVERTERS
from nomock.errors import ConfigError, did_you_mean
from nomock.paths import absolute

FILES = "COMPOSE_FILE"


@dataclass(frozen=True)
class Home:
    """Where a stack is."""

    folder: Path
    """The folder that decided."""
    calls: Path
    """The folder in which compose is called: where the user stands, if compose finds it there."""
    table: Mapping[str, Any] = field(default_factory=dict)
    """``[tool.nomock]`` of the nearest pyproject.toml."""


def places(start: Path, arguments: Iterable[str]) -> list[Path]:
    """Return the folders that may have the stack, in the order in which they are asked."""
    pointed = [_folder_of(start, argument) for argument in arguments]
    below = [f for p in pointed for f in (p, *p.parents) if start in f.parents]
    above = [f for p in pointed for f in (p, *p.parents)]
    return list(dict.fromkeys([start, *below, *start.parents, *above]))


def home_of(places: Iterable[Path], start: Path, environ: Mapping[str, str]) -> Home:
    """Return the first of some folders that has a stack; where none has, where the user stands."""
    table: Mapping[str, Any] | None = None
    for folder in places:
        here = _table(folder)
        if here is not None and "files" in here:
            return Home(folder, folder, here)
        table = here if table is None else table
        is_found = bool(first(folder, COMPOSE_NAMES)) or (folder == start and FILES in environ)
        if is_found or FILES.encode() in contents(folder / ".env"):
            if table is None:
                table = next(filter(None, map(_table, folder.parents)), {})
                # One that names files, or the project, is about another stack.
                table = {} if table.keys() & {"files", "project"} else table
            # Where the user stands compose finds what is above; a `.env` only in that folder.
            calls = start if is_found and folder in start.parents else folder
            return Home(folder, calls, table)
    return Home(start, start, table or {})


def first(folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the first of some names that is in a folder; nothing where none is."""
    return tuple(_there(folder / name for name in names))[:1]


def contents(path: Path) -> bytes:
    """Return what is in a file; nothing where there is none that can be read."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _folder_of(start: Path, argument: str) -> Path:
    path = absolute(start / argument.partition("::")[0])
    return path if path.is_dir() else path.parent


def _table(folder: Path) -> Mapping[str, Any] | None:
    """Return ``[tool.nomock]`` of a folder's pyproject.toml; None where it has none."""
    path = folder / "pyproject.toml"
    text = contents(path)
    if b"nomock" not in text:  # all others are none of our business, whatever is in them
        return None
    import tomllib

    try:
        table = tomllib.loads(text.decode("utf-8")).get("tool", {}).get("nomock")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("not valid TOML", where=str(path), seen=str(error)) from error
    if table is None:
        return None
    if unknown := sorted(set(table) - set(CONVERTERS)):
        raise _of_another_version(path, unknown)
    found: Mapping[str, Any] = table
    return found


def _of_another_version(path: Path, unknown: Sequence[str]) -> ConfigError:
    """Return the error of settings that this nomock does not have: misspelt, or another's."""
    from importlib.metadata import version

    hint = did_you_mean(unknown[0], CONVERTERS, "remove it, or install the nomock that has it")
    return ConfigError(
        f"there is no setting {unknown[0]!r} in nomock {version('nomock')}",
        where=f"[tool.nomock] in {path}",
        seen=f"nor: {', '.join(unknown[1:])}" if unknown[1:] else "",
        todo=f"nomock docs settings has all of them; {hint}",
    )


def _there(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        with suppress(OSError):  # what may not be looked at is not there for compose, either
            if path.exists():
                yield path
