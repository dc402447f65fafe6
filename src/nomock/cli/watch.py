"""Run what a change needs, each time that something is saved, until Ctrl-C."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from nomock.cli.stack import up
from nomock.config import Settings
from nomock.coverage.affected import Change, Watching, load_baseline, syntax_error
from nomock.coverage.session import data_dir
from nomock.errors import NomockError
from nomock.paths import standing

# Two looks that are the same are one save: editors write a file within milliseconds.
_PAUSE_S = 0.2
_MOST_SHOWN = 8


def watch(settings: Settings, chosen: argparse.Namespace) -> int:
    """Wait for changes of services and tests, and run the tests that they need."""
    runs = load_baseline(data_dir(settings))
    watching = Watching(settings, runs[0].suite, _pause)
    up(settings, chosen)
    print(f"watching {watching.files} files of services and tests; Ctrl-C ends", flush=True)
    try:
        while True:
            try:
                found = watching.wait()
            except NomockError as error:  # a compose file that is half-way: the next save may do
                print(f"\n{error}", flush=True)
                continue
            _run(settings, found, chosen.rest)
    except KeyboardInterrupt:
        print("\nstopped; the stack stays as it is: nomock down", flush=True)
        return 0


def _run(settings: Settings, found: Sequence[Change], arguments: Sequence[str]) -> None:
    """Say what changed, and run what it needs; a file that Python cannot read is only named."""
    print()
    for line in _said(settings.root, found):
        print(line, flush=True)
    files = list(dict.fromkeys(change.where for change in found if change.where is not None))
    if broken := [(file, why) for file in files if (why := syntax_error(file))]:
        for file, why in broken:
            print(f"not run: {_shown(settings.root, file)}, {why}", flush=True)
        return
    only = [change.below for change in found if change.below and change.below.is_file()]
    if len(only) == len(found):  # nothing but files of tests: theirs alone
        command = [*map(str, dict.fromkeys(only)), *_without_paths(arguments)]
    else:
        command = ["--nomock-affected", *arguments]
    with subprocess.Popen([sys.executable, "-m", "pytest", "-q", *command], cwd=standing()) as run:
        try:
            run.wait()
        except KeyboardInterrupt:
            run.wait()  # it was told so, too, and has its own way to end
            raise


def _pause() -> None:
    Event().wait(_PAUSE_S)  # Ctrl-C ends it


def _said(root: Path, found: Sequence[Change]) -> Iterator[str]:
    for change in found[:_MOST_SHOWN]:
        yield f"{_shown(root, change.where)}: {change.what}" if change.where else change.what
    if len(found) > _MOST_SHOWN:
        yield f"and {len(found) - _MOST_SHOWN} more changes"


def _shown(root: Path, path: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _without_paths(arguments: Iterable[str]) -> list[str]:
    """Leave out which files the user named: those that changed are in their place."""
    return [a for a in arguments if a.startswith("-") or not Path(a.partition("::")[0]).exists()]
