"""The files themselves: written in one step, read strictly; absence is no error."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from nomock.errors import QualityError
from nomock.project import write_privately
from nomock.quality.left.form import read_as
from nomock.quality.left.records import Record
from nomock.statefolder import make_state_dir

_VERSION = 1
_R = TypeVar("_R", bound=Record)


def path_of(state_dir: Path, kind: type[Record]) -> Path:
    """Return where the record of a kind lies."""
    return state_dir / "quality" / f"{kind.NAME}.json"


def leave(state_dir: Path, record: Record) -> Path:
    """Replace what was left of that kind; return where. Raises StateFolderError."""
    make_state_dir(state_dir)
    path = path_of(state_dir, type(record))
    fields: Any = record  # a dataclass, which a Protocol cannot say
    told = {"version": _VERSION, **asdict(fields)}
    write_privately(path, json.dumps(told, indent=1) + "\n")
    return path


def left(state_dir: Path, kind: type[_R]) -> _R | None:
    """Return what was left of a kind, None where nothing was.

    Raises QualityError for a file that is of another version, or not of that form.
    """
    path = path_of(state_dir, kind)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _not_read(path, str(error)) from error
    try:
        told = json.loads(text)
        if not isinstance(told, dict):
            raise ValueError("it is no object")
        if (version := told.pop("version", None)) != _VERSION:
            raise ValueError(f"its version is {version!r}, and this nomock reads {_VERSION}")
        record = read_as(kind, told)
        datetime.fromisoformat(record.when)
    except ValueError as error:
        raise _not_read(path, str(error)) from error
    return record


def _not_read(path: Path, seen: str) -> QualityError:
    return QualityError(
        "what was measured cannot be read",
        where=str(path),
        seen=seen,
        todo="measure it again, or delete the file",
    )
