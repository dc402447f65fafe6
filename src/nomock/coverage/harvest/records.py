"""What one process of a service reported, and what of it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress, count
from posixpath import dirname
from typing import NamedTuple

from nomock.baggage import label

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


class FileRun(NamedTuple):
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
    core: str | None
    """What recorded; None when nothing could, and ``unsupported`` says why."""
    unsupported: str
    branches: bool
    """Whether the core records branches."""
    goes_on: bool
    """Whether it had closed another file, as a daemon does: its canary was there."""
    started: float = 0.0
    """In seconds since the epoch."""
    executable: str = ""
    """The program that its Python is."""
    given: str = ""
    """The option by which it was given a program that is no file of anybody's; empty otherwise.

    As text, or a module of Python's own: ``-c``, ``-``, ``-m http.server``.
    """
    became: str = ""
    """The command of the Python that it has become by ``exec``, empty while it is this one."""
    lines: dict[Context, dict[SourceFile, int]] = field(default_factory=lambda: defaultdict(dict))
    arcs: dict[tuple[Context, SourceFile], tuple[Arc, ...]] = field(default_factory=dict)
    """Branches that were taken, some of them more than once."""
    servers: set[str] = field(default_factory=set)
    """The servers whose requests have contexts in it."""
    canaries: list[Canary] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """What may be missing of what it ran, and why, by its own account."""
    gave_up: str = ""
    """Why it could not write, for a while or for good; empty where it always could."""
    damaged: int = 0
    """Records that cannot be read."""

    def app_files(self) -> set[SourceFile]:
        """Return the app's source files of which it ran anything.

        The spy's own are none. What else is not the app's, such as a template, it does not record.
        """
        # The canary is in a folder of the spy's package.
        spys = tuple({f"{dirname(dirname(c.file.path))}/" for c in self.canaries if c.file})
        files = {file for files in self.lines.values() for file in files}
        return {file for file in files if not file.path.startswith(spys)}

    def ran(self) -> Iterator[FileRun]:
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
                    yield FileRun(counted, file, ran, arcs)

    def is_followed_by(self, other: Process) -> bool:
        """Tell whether another process is what this one has become."""
        return (other.host, other.pid) == (self.host, self.pid) and other.started > self.started

    @property
    def title(self) -> str:
        """What a message calls it."""
        return f"process {self.pid} of container {self.host[:12]}"

    @property
    def wrote_nothing(self) -> bool:
        """Whether there is nothing of it but that it began."""
        wrote = self.canaries or self.lines or self.goes_on or self.gave_up
        return self.core is not None and not wrote

    def canary_failure(self) -> str:
        """Say what is wrong with what its canary reported; empty when it is as it must be."""
        if self.core is None:
            return self.unsupported or "it has no core to record with"
        if not self.canaries and not self.goes_on:
            return self.gave_up or "it reported no canary"
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
