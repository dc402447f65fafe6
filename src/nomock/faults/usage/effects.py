"""Which faults were effective in which test, kept from run to run for ``nomock edges``.

A file of JSON lines under ``.nomock/``, one line for each time that a test with faults ended; the
last one of a test counts. Workers of xdist write to it side by side.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nomock.errors import StateFolderError
from nomock.filelock import FileLock
from nomock.statefolder import append_line, make_state_dir, writing

_NAME = "effects.ndjson"
# Some thousand tests: from then on the lines that newer ones replace are dropped.
_MOST_BYTES = 1_000_000
_FUNCTION = re.compile(r"::(\w+)(\[.*\])?$", re.DOTALL)


@dataclass(frozen=True, order=True)
class Effect:
    """A fault that was effective in a test."""

    test: str
    """Its node id."""
    kind: str
    where: str


def save_effects(
    state_dir: Path, test: str, files: Iterable[Path], effective: Iterable[tuple[str, str]]
) -> None:
    """Write down which faults, as (kind, where), were effective in a test: perhaps none.

    Its function is in one of ``files``: when it no longer is, the test is forgotten. Where it
    cannot be written it is lost.
    """
    # Seen from this folder, so that all can be moved together.
    relative = sorted(Path(os.path.relpath(file, state_dir)).as_posix() for file in files)
    line = json.dumps({"test": test, "files": relative, "effective": sorted(effective)})
    with suppress(StateFolderError):  # a full disk: the table of edges is no reason to fail
        make_state_dir(state_dir)
        with closing(FileLock(state_dir / "effects.lock")) as lock, writing(state_dir):
            lock.acquire(exclusive=True)
            _append(state_dir / _NAME, line)


def _append(path: Path, line: str) -> None:
    if append_line(path, line) > _MOST_BYTES:
        kept = "".join(f"{last}\n" for last in _last_lines(path).values())
        new = path.with_suffix(".new")
        new.write_text(kept, encoding="utf-8")
        new.replace(path)


def load_effects(state_dir: Path) -> list[Effect]:
    """Return the effective faults of the tests that still exist, each as it last ran."""
    found, texts = [], cache(_text)
    for test, line in _last_lines(state_dir / _NAME).items():
        told = json.loads(line)
        function = _FUNCTION.search(test)
        text = "\n".join(texts(state_dir / file) for file in told["files"])
        if function and re.search(rf"\bdef {function[1]}\b", text):
            found += [Effect(test, kind, where) for kind, where in told["effective"]]
    return sorted(found)


def _last_lines(path: Path) -> dict[str, str]:
    """Return test -> its last line."""
    if not path.exists():
        return {}
    lines: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue  # cut off by the end of its process
        if told.keys() == {"test", "files", "effective"}:  # not another version's
            lines[told["test"]] = line
    return lines


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
