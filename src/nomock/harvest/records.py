"""Reading what a spy wrote; the format is described in coverage-spy/nomock_spy/writer.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath
from typing import Any

from nomock.errors import CoverageError
from nomock.harvest.folder import RECORDS

_FORMAT_VERSION = 1


@dataclass(frozen=True)
class SourceFile:
    """A source file as a container has it; size and checksum are None when it was not there."""

    path: str
    size: int | None = None
    crc32: int | None = None


@dataclass
class Process:
    """What one process of a service reported."""

    service: str
    run: str
    python: str
    unsupported: str
    """Why nothing can be recorded in it; empty when it can."""
    lines: dict[SourceFile, set[int]] = field(default_factory=dict)
    damaged: int = 0
    """Records that cannot be read: the last one after a kill, others after a full disk."""


def read_all(data_dir: Path, run: str | None = None) -> list[Process]:
    """Read the records of all processes, or of those that belong to a run."""
    found = [p for path in sorted(data_dir.glob(RECORDS)) if (p := _read(path)) is not None]
    return [p for p in found if run is None or p.run == run]


def _read(path: Path) -> Process | None:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CoverageError(
            "the records of a spy cannot be read", where=str(path), seen=str(error)
        ) from error
    return process_of(text, where=str(path))


def process_of(text: bytes, *, where: str) -> Process | None:
    """Return what a file of records says; None when not even its first record is complete.

    Raises CoverageError for the format of another version.
    """
    whole, _, rest = text.rpartition(b"\n")
    records = list(_records(whole))
    if not records or records[0] is None:
        return None
    process = _begin(records[0], where)
    process.damaged = (1 if rest else 0) + records.count(None)
    numbered: dict[int, SourceFile] = {}
    for record in records[1:]:
        if record is None:
            continue
        if "path" in record:
            source = SourceFile(normpath(record["path"]), record.get("size"), record.get("crc32"))
            numbered[record["file"]] = source
        elif (file := numbered.get(record["file"])) is not None:
            process.lines.setdefault(file, set()).update(record["lines"])
        else:  # the record that introduced it is damaged
            process.damaged += 1
    return process


def _records(text: bytes) -> Iterator[Mapping[str, Any] | None]:
    for line in text.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        yield record if isinstance(record, dict) else None


def _begin(header: Mapping[str, Any], where: str) -> Process:
    if header.get("v") != _FORMAT_VERSION:
        raise CoverageError(
            f"these records are of format {header.get('v')}, this nomock reads {_FORMAT_VERSION}",
            where=where,
            todo="mount the coverage-spy folder that came with this nomock",
        )
    return Process(header["service"], header["run"], header["python"], header["unsupported"])
