"""Reading what one process of a service wrote, and what of it counts.

The format is described in docs/coverage.md. Whatever is damaged is left out and counted: a process
may be killed while it writes its last record, and a disk may be full in the middle of one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress, count
from posixpath import dirname, normpath, splitext
from typing import Any, NamedTuple

from nomock.context import label
from nomock.errors import CoverageError

FORMAT_VERSION = 2
CANARY_TEST = "nomock.canary"


class SourceFile(NamedTuple):
    """A source file as a container has it; size and checksum are None when it was not there."""

    path: str
    size: int | None = None
    crc32: int | None = None


class Context(NamedTuple):
    """In whose name something ran: a test, and the fault that was on; neither at start-up."""

    test: str = ""
    fault: str = ""

    @property
    def label(self) -> str:
        """The context as coverage.py's data has it."""
        return label(self.test, self.fault)


BACKGROUND = Context()

_TRUTH = bytes.maketrans(b"01", b"\0\1")

Arc = tuple[int, int]
"""A branch that was taken, from a line to a line; coverage.py's numbers."""


class Canary(NamedTuple):
    """What a process promised to run, in a file and a context: one line, and not the other."""

    file: SourceFile | None
    """None where not even that it was loaded is recorded."""
    context: Context
    hit: int
    missed: int


class Ran(NamedTuple):
    """What ran of a file in a context: its lines as a bitmap (bit n is line n), its branches."""

    context: Context
    file: SourceFile
    lines: int
    arcs: tuple[Arc, ...]


@dataclass
class Process:
    """What one process of a service reported."""

    service: str
    run: str
    python: str
    host: str
    pid: int
    engine: str | None
    """What recorded; None when nothing could, and ``unsupported`` says why."""
    unsupported: str
    branches: bool
    """Whether the engine records branches."""
    lines: dict[Context, dict[SourceFile, int]] = field(default_factory=lambda: defaultdict(dict))
    arcs: dict[tuple[Context, SourceFile], tuple[Arc, ...]] = field(default_factory=dict)
    """Branches that were taken, some of them more than once."""
    servers: set[str] = field(default_factory=set)
    """The servers whose requests have contexts in it."""
    canaries: list[Canary] = field(default_factory=list)
    damaged: int = 0
    """Records that cannot be read."""

    def app_files(self) -> set[SourceFile]:
        """Return the app's source files of which it ran anything.

        The spy's own are none, and neither is a template, which has its own path as its code's.
        """
        spys = tuple({f"{dirname(c.file.path)}/" for c in self.canaries if c.file})
        files = {file for files in self.lines.values() for file in files}
        return {f for f in files if is_source(f.path) and not f.path.startswith(spys)}

    def ran(self) -> Iterator[Ran]:
        """Yield what ran of the app's files.

        What ran in the name of something that is no pytest test counts as background: another
        program may use the same baggage. A file of which nothing ran (in the time that was asked
        for) has no lines.
        """
        files = self.app_files()
        for context, lines in self.lines.items():
            if context.test == CANARY_TEST:
                continue
            counted = context if "::" in context.test else BACKGROUND
            for file, ran in lines.items():
                if file in files:
                    arcs = self.arcs.get((context, file), ())
                    yield Ran(counted, file, ran, arcs)

    def canary_failure(self) -> str:
        """Say what is wrong with what its canary reported; empty when it is as it must be."""
        if self.engine is None:
            return self.unsupported or "it has no engine to record with"
        if not self.canaries:
            return "it reported no canary"
        for canary in self.canaries:
            ran = self.lines.get(canary.context, {})
            lines = ran.get(canary.file, 0) if canary.file else 0
            if not lines >> canary.hit & 1:
                return f"its canary's line {canary.hit} ran and was not reported"
            if lines >> canary.missed & 1:
                return f"its canary's line {canary.missed} did not run and was reported"
        return ""


def numbers(lines: int) -> list[int]:
    """Return the line numbers in a bitmap.

    >>> numbers(0x1c0)
    [6, 7, 8]
    """
    digits = f"{lines:b}"[::-1].encode()
    return list(compress(count(), digits.translate(_TRUTH)))  # no step of it is in Python


def is_source(path: str) -> bool:
    """Tell whether a path may be Python's source: a ``.py``, or a script without a suffix."""
    return splitext(path)[1] in {"", ".py"}


def header_of(first: bytes) -> Mapping[str, Any] | None:
    """Return the first record of a file; None when it is not whole."""
    header = _record(first) if first.endswith(b"\n") else None
    return header if header and {"v", "service", "run"} <= header.keys() else None


def process_of(
    header: Mapping[str, Any], rest: Iterable[bytes], *, where: str, since_s: float | None = None
) -> Process:
    """Return what a file says by its first record and its other lines.

    ``since_s``, in seconds since the epoch, leaves out the lines that were written before; their
    files are known all the same. Raises CoverageError for the format of another version.
    """
    if header["v"] != FORMAT_VERSION:
        raise CoverageError(
            f"these records are of format {header['v']}, this nomock reads {FORMAT_VERSION}",
            where=where,
            todo="mount the coverage-spy folder that came with this nomock",
        )
    process = Process(
        service=header["service"],
        run=header["run"],
        python=header.get("python", ""),
        host=header.get("host", ""),
        pid=header.get("pid", 0),
        engine=header.get("engine"),
        unsupported=header.get("unsupported", ""),
        branches=bool(header.get("branches")),
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

    def _canary(self, record: Mapping[str, Any]) -> None:
        context = self._contexts.get(record["context"], Context(CANARY_TEST))
        file = self._files.get(record["canary"])
        self._process.canaries.append(Canary(file, context, record["hit"], record["missed"]))

    def _ran(self, record: Mapping[str, Any]) -> None:
        context = self._contexts[record["in"]]
        counts = record.get("at", self._since_s) >= self._since_s
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


def _bitmap(lines: str | list[int]) -> int:
    return int(lines, 16) if isinstance(lines, str) else sum({1 << line for line in lines})


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
