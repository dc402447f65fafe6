"""Read the settings of a run: of which stack, from which compose files, with which values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nomock.config import COMPOSE_NAMES, OVERRIDE_NAMES, Setting, Settings, Sources
from nomock.converters import CONVERTERS
from nomock.errors import ConfigError
from nomock.loading.dotenv import Dotenv
from nomock.loading.home import FILES, Home, first, home_of, places
from nomock.paths import absolute
from nomock.places import own_coverage_overlay, state_dir

_SEPARATOR = "COMPOSE_PATH_SEPARATOR"
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
    home = home_of(places(start, arguments), start, environ)
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
        told = Dotenv.by([files[0].parent if files else home.folder], _OURS, environ)
    sources.dotenv = told.values
    read = {name: sources.setting(name) for name in CONVERTERS}
    given = {name: setting for name, setting in read.items() if setting is not None}
    _without_lanes(given)
    values = {name: setting.value for name, setting in given.items()}
    root = files[0].parent if files else home.folder
    overlay = root / values.get("edges_overlay", Settings.edges_overlay)
    # In a cluster a name leads all callers to the same service: nothing there is as links are.
    is_compose = values.get("target", Settings.target) == Settings.target
    has_edges = is_compose and files and overlay not in files and overlay.is_file()
    values["files"] = (*files, overlay) if has_edges else files
    made = own_coverage_overlay(root)
    is_named = "coverage_overlay" in values  # one that is not there is for a run to complain of
    if not is_named and not (root / Settings.coverage_overlay).exists() and made.exists():
        values["coverage_overlay"] = str(made)
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
    chosen = home_of(places(start, arguments), start, environ).folder
    if chosen == start or chosen in start.parents:
        return
    for test in dict.fromkeys(map(absolute, tests)):
        if any(map(chosen.samefile, test.parents)):
            continue
        own = home_of(test.parents, start, environ).folder
        if own != start:  # which is what comes where there is none
            raise ConfigError(
                f"a test of another stack than the run's, which is that of {chosen}",
                where=str(test),
                seen=f"the nearest compose file is in {own}",
                todo="run the tests of each stack alone; or stand in the folder of the stack that "
                "all are to use; or let a conftest.py beside each compose file override the "
                "fixture compose_files: nomock docs settings",
            )


def _without_lanes(given: dict[str, Setting]) -> None:
    """Let all workers share a sandbox; raise ConfigError where lanes were asked for on one."""
    target, lanes = given.get("target"), given.get("lanes")
    if target is None or target.value != "sandbox" or lanes is None or lanes.value == "shared":
        return
    if lanes.source != "pyproject":  # which has it for compose
        raise ConfigError(
            "a sandbox has no lanes: all workers share it",
            where=lanes.source,
            seen=f"lanes = {lanes.value!r}, target = {target.value!r}",
            todo="leave lanes out, or run the tests on compose",
        )
    given["lanes"] = Setting("shared", "as a sandbox has no lanes")


def _chosen(home: Home, environ: Mapping[str, str]) -> tuple[tuple[Path, ...], Dotenv]:
    """Return the files that compose will take where it is called, and what it says of ``.env``."""
    found = first(home.folder, COMPOSE_NAMES)
    told = Dotenv.by([home.calls, home.folder], (FILES, _SEPARATOR, *_OURS), environ)
    choice = {**told.values, **environ}
    if FILES in choice:
        if address := _ADDRESS.search(choice[FILES]):
            told.trouble = _elsewhere(address[1], FILES)
        named = choice[FILES].split(choice.get(_SEPARATOR) or os.pathsep)
        return tuple(absolute(home.calls / name) for name in named), told
    return (*found, *(first(home.folder, OVERRIDE_NAMES) if found else ())), told


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
        named_by = "--file (of pytest: --stack-file)" if source == "option" else source
        raise ConfigError(
            "this compose file is not there",
            where=str(path),
            todo=f"name one that is there: it was named by {named_by}",
        )
    return absolute(path)
