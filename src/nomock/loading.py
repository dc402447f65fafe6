"""Find the stack that a run is about, and read its settings.

Compose looks for its files in the folder where it is called, then upwards. A run of pytest is also
about the folders that its arguments point at. So these are looked at, the first that has a stack
decides: where the user stands; below it, where the arguments point; upwards from where the user
stands; upwards from where the arguments point. Both ``pytest`` and ``nomock`` choose by this.

Compose alone reads ``.env``: it is asked for what it found there, and only where one of the names
that matter to nomock stands in that file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.config import COMPOSE_NAMES, CONVERTERS, OVERRIDE_NAMES, Settings, Sources
from nomock.environment import named_in
from nomock.errors import ConfigError, NomockError
from nomock.paths import absolute
from nomock.places import state_dir

_FILES, _SEPARATOR = "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"
# Compose takes one where a file is included or named by --file, and not from COMPOSE_FILE (2.26).
_ADDRESS = re.compile(r"(?:^|[^\w.-])((?:https?|git|ssh|oci|file)://\S+|git@\S+)")
_OURS = tuple(f"NOMOCK_{name.upper()}" for name in CONVERTERS)


def load(
    start: Path,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    arguments: Iterable[str] = (),
) -> Settings:
    """Read the settings for a run that starts in a folder.

    ``options`` are the command line's, None where one was not given; ``arguments`` are the files
    that the run is about, or tests in them. Raises ConfigError for a value that cannot be, a
    setting that does not exist, and a compose file that a setting names and that is not there.
    Where compose cannot be asked for its choice, ``Settings.trouble`` says why.
    """
    home = _home(_places(start, arguments), start, environ)
    sources = Sources(options or {}, environ, {}, home.table)
    named = sources.setting("files")
    if named is None:
        files, told = _chosen(home, environ)
    else:
        # Of a variable it has been split at its colons.
        if address := _ADDRESS.search(os.pathsep.join(named.value)):
            raise _elsewhere(address[1], named.source)
        base = start if named.source == "option" else home.folder
        files = tuple(_existing(base / name, named.source) for name in named.value)
        told = _Told.by([files[0].parent if files else home.folder], _OURS, environ)
    sources.dotenv = told.values
    read = {name: sources.setting(name) for name in CONVERTERS}
    given = {name: setting for name, setting in read.items() if setting is not None}
    values = {name: setting.value for name, setting in given.items()} | {"files": files}
    root = files[0].parent if files else home.folder
    told.remember(state_dir(root))
    return Settings(
        root=root,
        found=files if named is None else None,
        folder=home.calls if named is None else root,
        trouble=told.trouble,
        sources={name: setting.source for name, setting in given.items()},
        **values,
    )


def check_one_stack(
    start: Path,
    options: Mapping[str, Any],
    environ: Mapping[str, str] = os.environ,
    *,
    arguments: Iterable[str],
    tests: Iterable[Path],
) -> None:
    """Refuse the tests of two projects in one run, where only an argument decided for one of them.

    ``tests`` are the files of those that use the run's own stack, the others as for ``load``.
    Whoever stands where the stack is, or names its files, has chosen it for all tests. Raises
    ConfigError for the first test that is nearer to another stack.
    """
    if options.get("files") or "NOMOCK_FILES" in environ:
        return
    chosen = _home(_places(start, arguments), start, environ).folder
    if chosen == start or chosen in start.parents:
        return
    for test in dict.fromkeys(map(absolute, tests)):
        if any(map(chosen.samefile, test.parents)):
            continue
        own = _home(test.parents, start, environ).folder
        if own != start:  # which is what comes where there is none
            raise ConfigError(
                f"a test of another stack than the run's, which is that of {chosen}",
                where=str(test),
                seen=f"the nearest compose file is in {own}",
                todo="run the tests of each stack alone; or stand in the folder of the stack that "
                "all are to use; or let a conftest.py beside each compose file override the "
                "fixture compose_files: nomock docs settings",
            )


@dataclass(frozen=True)
class _Home:
    """Where a stack is."""

    folder: Path
    """The folder that decided."""
    calls: Path
    """The folder in which compose is called: where the user stands, if compose finds it there."""
    table: Mapping[str, Any] = field(default_factory=dict)
    """``[tool.nomock]`` of the nearest pyproject.toml."""


def _places(start: Path, arguments: Iterable[str]) -> list[Path]:
    """Return the folders that may have the stack, in the order in which they are asked."""
    pointed = [_folder_of(start, argument) for argument in arguments]
    below = [f for p in pointed for f in (p, *p.parents) if start in f.parents]
    above = [f for p in pointed for f in (p, *p.parents)]
    return list(dict.fromkeys([start, *below, *start.parents, *above]))


def _folder_of(start: Path, argument: str) -> Path:
    path = absolute(start / argument.partition("::")[0])
    return path if path.is_dir() else path.parent


def _home(places: Iterable[Path], start: Path, environ: Mapping[str, str]) -> _Home:
    table: Mapping[str, Any] | None = None
    for folder in places:
        here = _table(folder)
        if here is not None and "files" in here:
            return _Home(folder, folder, here)
        table = here if table is None else table
        is_found = bool(_first(folder, COMPOSE_NAMES)) or (folder == start and _FILES in environ)
        if is_found or _FILES.encode() in _bytes(folder / ".env"):
            if table is None:
                table = next(filter(None, map(_table, folder.parents)), {})
                # One that names files, or the project, is about another stack.
                table = {} if table.keys() & {"files", "project"} else table
            # Where the user stands compose finds what is above; a `.env` only in that folder.
            calls = start if is_found and folder in start.parents else folder
            return _Home(folder, calls, table)
    return _Home(start, start, table or {})


def _table(folder: Path) -> Mapping[str, Any] | None:
    """Return ``[tool.nomock]`` of a folder's pyproject.toml; None where it has none."""
    path = folder / "pyproject.toml"
    text = _bytes(path)
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
        raise ConfigError(
            f"there is no setting {unknown[0]!r}",
            where=f"[tool.nomock] in {path}",
            todo=f"the settings are: {', '.join(sorted(CONVERTERS))}",
        )
    found: Mapping[str, Any] = table
    return found


def _chosen(home: _Home, environ: Mapping[str, str]) -> tuple[tuple[Path, ...], _Told]:
    """Return the files that compose will take where it is called, and what it says of ``.env``."""
    found = _first(home.folder, COMPOSE_NAMES)
    told = _Told.by([home.calls, home.folder], (_FILES, _SEPARATOR, *_OURS), environ)
    choice = {**told.values, **environ}
    if _FILES in choice:
        if address := _ADDRESS.search(choice[_FILES]):
            told.trouble = _elsewhere(address[1], _FILES)
        named = choice[_FILES].split(choice.get(_SEPARATOR) or os.pathsep)
        return tuple(absolute(home.calls / name) for name in named), told
    return (*found, *(_first(home.folder, OVERRIDE_NAMES) if found else ())), told


@dataclass
class _Told:
    """What compose says of ``.env``: the values of the names that were asked for."""

    values: Mapping[str, str] = field(default_factory=dict)
    trouble: NomockError | None = None
    folder: Path | None = None
    """Where it was asked, where it had to be; None where an answer was at hand."""
    key: str = ""

    @classmethod
    def by(cls, folders: list[Path], names: Iterable[str], environ: Mapping[str, str]) -> _Told:
        """Ask compose in some folders; the first that has a value of a name wins."""
        folders = list(dict.fromkeys(folders))
        named = filter(None, environ.get("COMPOSE_ENV_FILES", "").split(","))
        files = [*(folder / ".env" for folder in folders), *(folders[0] / name for name in named)]
        text = b"\0".join(map(_bytes, files))
        asked = [name for name in names if name not in environ and name.encode() in text]
        if not asked:
            return cls()
        from nomock.project.store import Store

        key = _key(text, asked, environ)
        kept = Store(state_dir(folders[0]), "dotenv").read()
        if kept.get("key") == key:
            return cls(kept["values"])
        from nomock.adapters.compose_call import Call
        from nomock.adapters.compose_config import variables

        values: dict[str, str] = {}
        try:
            for folder in folders:
                values = {**variables(Call(folder), asked), **values}
        except NomockError as error:
            return cls(trouble=error)
        return cls(values, None, folders[0], key)

    def remember(self, known: Path) -> None:
        """Keep the answer for the next run, where a stack has been used before."""
        if self.folder is not None and known.is_dir():
            from nomock.project.store import Store

            with suppress(OSError):
                Store(state_dir(self.folder), "dotenv").write(
                    {"key": self.key, "values": dict(self.values)}
                )


def _key(text: bytes, asked: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return a digest of all that may have gone into an answer."""
    import hashlib

    used = named_in(text, environ)
    used |= {name: value for name, value in environ.items() if name.startswith("COMPOSE_")}
    return hashlib.sha256(repr((text, sorted(asked), sorted(used.items()))).encode()).hexdigest()


def _first(folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the first of some names that is in a folder; nothing where none is."""
    return tuple(_there(folder / name for name in names))[:1]


def _there(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        with suppress(OSError):  # what may not be looked at is not there for compose, either
            if path.exists():
                yield path


def _bytes(path: Path) -> bytes:
    """Return what is in a file; nothing where there is none that can be read."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _elsewhere(address: str, source: str) -> ConfigError:
    shown = re.sub(r"//[^/@]*@", "//…@", address)  # there may be a password in it
    return ConfigError(
        "a compose file is not taken by its address",
        where=source,
        seen=shown,
        todo="write a compose.yaml here that has it included: include: [ADDRESS]; compose fetches "
        "it then",
    )


def _existing(path: Path, source: str) -> Path:
    if not path.is_file():
        raise ConfigError(
            "this compose file is not there", where=str(path), todo=f"it was named by: {source}"
        )
    return absolute(path)
