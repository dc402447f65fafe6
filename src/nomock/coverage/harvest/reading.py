"""Reading the file that a spy wrote; the format is described in docs/coverage-spy.md.

Whatever is damaged is left out and counted: a process may be killed while it writes its last
record, and a disk may be full in the middle of one.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from posixpath import normpath
from typing import Any

from nomock.coverage.harvest.records import (
    BACKGROUND,
    CANARY_TEST,
    Arc,
    Canary,
    Context,
    Process,
    SourceFile,
)
from nomock.errors import CoverageError

_FORMAT_VERSION = 3
# <service>.<run>.<host>.<pid>.<random>, and an errno where something could not be written.
_NAME = re.compile(
    r"(?P<service>.+?)\.(?P<run>[0-9a-f]{8}|-)\.(?P<host>.+)\.(?P<pid>\d+)\.[0-9a-f]{8}"
    r"\.(?P<failed>E[A-Z0-9]+)\.ndjson"
)


def header_of(first: bytes) -> Mapping[str, Any] | None:
    """Return the first record of a file; None when it is not whole."""
    header = _record(first) if first.endswith(b"\n") else None
    return header if header and {"v", "service", "run"} <= header.keys() else None


def failure_of(name: str) -> str:
    """Return why a process could not write to its file, by the file's name; empty if it could.

    >>> failure_of("web.5fd0c3a1.4f2ac0.1.0badcafe.ENOSPC.ndjson")
    'it could not write: No space left on device'
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return ""
    number = getattr(errno, found["failed"], None)
    return f"it could not write: {os.strerror(number) if number else found['failed']}"


def header_of_name(name: str) -> Mapping[str, Any] | None:
    """Return what the name of a file in which nothing could be written says of its process.

    None where it does not say that nothing could be.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return {
        "v": _FORMAT_VERSION,
        "service": found["service"],
        "run": found["run"].strip("-"),
        "host": found["host"],
        "pid": int(found["pid"]),
        "core": None,
        "unsupported": failure_of(name),
    }


def process_of(
    header: Mapping[str, Any], rest: Iterable[bytes], *, where: str, since_s: float | None = None
) -> Process:
    """Return what a file says by its first record and its other lines.

    ``since_s``, in seconds since the epoch, leaves out the lines that were written before; their
    files are known all the same. Raises CoverageError for the format of another version.
    """
    if header["v"] != _FORMAT_VERSION:
        raise CoverageError(
            f"these records are of format {header['v']}, this nomock reads {_FORMAT_VERSION}",
            where=where,
            todo="cover the tests again, which starts the services with the spy of this nomock; "
            "where they mount another one, first: nomock overlay",
        )
    process = Process(
        service=header["service"],
        run=header["run"],
        python=header.get("python", ""),
        host=header.get("host", ""),
        pid=header.get("pid", 0),
        core=header.get("core"),
        unsupported=header.get("unsupported", ""),
        branches=bool(header.get("branches")),
        goes_on=bool(header.get("goes_on")),
        started=_seconds(header.get("started")),
        executable=str(header.get("executable") or ""),
        given=str(header.get("given") or ""),
    )
    reader = _Reader(process, since_s or 0.0)
    for line in rest:
        reader.read(line)
    return process


class _Reader:
    """Reads a process's records one by one; the numbers of files and contexts are its own."""

    def __init__(self, process: Process, since_s: float) -> None:
        self._process = process
        self._since_s = since_s
        self._files: dict[int, SourceFile] = {}
        self._contexts: dict[int, Context] = {0: BACKGROUND}
        self._arcs: dict[Arc, Arc] = {}  # one object each: there are millions
        self._kinds: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "in": self._ran,
            "path": self._file,
            "test": self._context,
            "canary": self._canary,
            "server": self._server,
            "became": self._became,
            "lost": self._lost,
        }

    def read(self, line: bytes) -> None:
        record = _record(line) if line.endswith(b"\n") else None
        try:
            if record is None:
                raise ValueError("no record")
            for key, take in self._kinds.items():
                if key in record:
                    take(record)
                    return
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            self._process.damaged += 1

    def _file(self, record: Mapping[str, Any]) -> None:
        path = normpath(record["path"])
        self._files[record["file"]] = SourceFile(path, record.get("size"), record.get("crc32"))

    def _context(self, record: Mapping[str, Any]) -> None:
        names = (record["test"], record.get("fault", ""))
        # A header may hold bytes that are no text; coverage.py's data holds text only.
        test, fault = (name.encode(errors="backslashreplace").decode() for name in names)
        self._contexts[record["context"]] = Context(test, fault)

    def _server(self, record: Mapping[str, Any]) -> None:
        self._process.servers.add(record["server"])

    def _became(self, record: Mapping[str, Any]) -> None:
        self._process.became = str(record["became"])

    def _lost(self, record: Mapping[str, Any]) -> None:
        self._process.lost.append(str(record["lost"]))

    def _canary(self, record: Mapping[str, Any]) -> None:
        context = self._contexts.get(record["context"], Context(CANARY_TEST))
        file = self._files.get(record["canary"])
        self._process.canaries.append(Canary(file, context, record["hit"], record["missed"]))

    def _ran(self, record: Mapping[str, Any]) -> None:
        context = self._contexts[record["in"]]
        self._process.became = ""  # exec has failed: it goes on
        since_s = 0.0 if context.test == CANARY_TEST else self._since_s
        counts = record.get("at", since_s) >= since_s
        lines = self._process.lines[context]
        for number, given in record.get("lines", {}).items():
            file = self._files[int(number)]
            # Line 0 is what Python runs before a module's first line.
            ran = _bitmap(given) & ~1
            if ran < 0:
                raise ValueError(given)
            lines[file] = lines.get(file, 0) | (ran if counts else 0)
        for number, arcs in record.get("arcs", {}).items():
            file = self._files[int(number)]
            lines.setdefault(file, 0)
            if counts:
                known, arc_of = self._process.arcs, self._arcs.setdefault
                pairs = [(int(begin), int(end)) for begin, end in arcs]
                taken = tuple([arc_of(pair, pair) for pair in pairs])
                known[context, file] = known.get((context, file), ()) + taken


def _seconds(given: object) -> float:
    return given if isinstance(given, float) else 0.0


def _bitmap(lines: str | list[int]) -> int:
    return int(lines, 16) if isinstance(lines, str) else sum({1 << line for line in lines})


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
