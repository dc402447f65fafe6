"""What the processes of each service ran, by context and by file of this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nomock.coverage.harvest.folder import Found, read_all
from nomock.coverage.harvest.inside import Unknown
from nomock.coverage.harvest.modules import of_app
from nomock.coverage.harvest.omitted import Omitted, listed, unmapped
from nomock.coverage.harvest.records import Arc, Context, Process
from nomock.coverage.harvest.services import ServiceSource
from nomock.coverage.harvest.sources import HostPaths, Mapped
from nomock.coverage.harvest.unrun import Unrun, unrun
from nomock.errors import NoCoverageError

# With branches coverage.py's data has a row for each line in each context, four seconds a million.
_MOST_WITH_BRANCHES = 1_500_000

Lines = dict[Path, int]
"""Which lines ran, as a bitmap, by file."""


@dataclass
class ServiceRan:
    """What all processes of a service ran."""

    source: ServiceSource
    processes: list[Process]
    lines: dict[Context, Lines] = field(default_factory=lambda: defaultdict(dict))
    arcs: dict[tuple[Context, Path], tuple[Arc, ...]] = field(default_factory=dict)
    omitted: tuple[Omitted, ...] = ()
    """Files that ran in its containers and are not here."""
    twins: Mapping[Path, list[Path]] = field(default_factory=dict)
    """A file -> others of its content; which of them ran, nothing tells."""
    unrun: Unrun = field(default_factory=Unrun)
    """Files that never ran."""

    @property
    def only_given(self) -> str:
        """How its Pythons are given their program, where none of them has a file; else "".

        Where a setting names folders of its source, it has files.
        """
        given = {p.given if p.core and not p.gave_up and not p.lost else "" for p in self.processes}
        if self.lines or self.omitted or self.source.named or "" in given:
            return ""
        return " and ".join(f"python {option}" for option in sorted(given))

    @property
    def tests(self) -> set[str]:
        """The tests that ran a line of it."""
        return {c.test for c, files in self.lines.items() if c.test and any(files.values())}

    def files(self) -> set[Path]:
        """Return the files of which a process ran anything, at whatever time."""
        return {path for files in self.lines.values() for path in files}

    def union(self, test: str | None = None) -> Lines:
        """Return the lines that ran in any context, or in those of a test; all files are in it."""
        lines: Lines = dict.fromkeys(self.files(), 0)
        for context, files in self.lines.items():
            if test is None or context.test == test:
                for path, ran in files.items():
                    lines[path] |= ran
        return lines


@dataclass(frozen=True)
class Gathered:
    """What was collected from the folder."""

    services: Mapping[str, ServiceRan]
    """The services of which a file ran, by name."""
    fileless: Mapping[str, str]
    """The services that have no file of the app, by name, each with how it gets its program."""
    failure: NoCoverageError | None
    """Names the services that reported nothing and should have; None where there is none."""
    found: Found

    @property
    def without_lines(self) -> tuple[str, ...]:
        """The services of which no line is known, whether that is as it should be or not."""
        return (*self.fileless, *(self.failure.services if self.failure else ()))

    @property
    def tests(self) -> set[str]:
        """The tests that ran a line of any service."""
        return {test for service in self.services.values() for test in service.tests}

    @property
    def unrun(self) -> set[Path]:
        """The files that never ran in any service."""
        ran = {path for service in self.services.values() for path in service.files()}
        found = (service.unrun for service in self.services.values())
        return {path for one in found for path in (*one.own, *one.shared)} - ran

    @property
    def without_branches(self) -> dict[str, set[str]]:
        """What keeps branches out of the data -> the services where it does; {} if they are in it.

        coverage.py's data holds lines or branches, so that all processes have to measure them.
        """
        reasons = defaultdict(set)
        for name, service in self.services.items():
            for process in service.processes:
                if process.core is not None and not process.branches:
                    reasons[f"{process.core} of Python {process.python} tells none"].add(name)
        if not reasons and self._size > _MOST_WITH_BRANCHES:
            reasons[f"{self._size} lines by test are too many for them"] = set(self.services)
        return reasons

    @property
    def _size(self) -> int:
        """How many lines there are, each as often as it has contexts."""
        return sum(
            ran.bit_count()
            for service in self.services.values()
            for files in service.lines.values()
            for ran in files.values()
        )


def gather(
    data_dir: Path,
    services: Mapping[str, ServiceSource],
    run: str | None = None,
    *,
    since_s: float | None = None,
    inside: Unknown | None = None,
) -> Gathered:
    """Collect what the spies of the services wrote to a folder, of one run or of all there is.

    ``since_s``, in seconds since the epoch, leaves out what was written before; ``inside`` tells
    what is in the containers. Raises CoverageError where records cannot be read.
    """
    found = read_all(data_dir, run, since_s=since_s)
    silent: dict[str, str] = {}
    fileless: dict[str, str] = {}
    gathered = {}
    for name, source in sorted(services.items()):
        own = [process for process in found.processes if process.service == name]
        ran = _on_host(source, own, inside or Unknown())
        if ran.lines:
            gathered[name] = ran
        elif ran.only_given:
            fileless[name] = ran.only_given
        else:
            silent[name] = _why_silent(ran, found.processes, data_dir)
    failure = NoCoverageError(silent, others=gathered) if silent else None
    return Gathered(gathered, fileless, failure, found)


def _on_host(source: ServiceSource, processes: list[Process], inside: Unknown) -> ServiceRan:
    service = ServiceRan(source, processes)
    files = {file for process in processes for file in process.app_files()}
    mapped = of_app(HostPaths(source).map(files)) if files else Mapped()
    service.omitted = tuple(unmapped(source, mapped, inside.is_current))
    for process in processes:
        for ran in process.ran():
            path = mapped.found.get(ran.file)
            if path is None:
                continue
            lines = service.lines[ran.context]
            lines[path] = lines.get(path, 0) | ran.lines
            if ran.arcs:
                before = service.arcs.get((ran.context, path), ())
                service.arcs[ran.context, path] = before + ran.arcs
    places: defaultdict[Path, set[str]] = defaultdict(set)
    for file, path in mapped.found.items():
        places[path].add(file.path)
    service.twins = {path: twins for path, twins in mapped.twins.items() if path in places}
    # What ran as another text did not "never run".
    others = {why.nearest for why in mapped.failed.values()} - places.keys()
    service.unrun = unrun(source, places, inside).without(others)
    return service


def _why_silent(ran: ServiceRan, all_: list[Process], data_dir: Path) -> str:
    unsupported = sorted({p.unsupported for p in ran.processes if p.unsupported})
    if unsupported:
        return "; ".join(unsupported)
    if ran.omitted:
        named = listed((f"{file.path}: {file.reason}" for file in ran.omitted), "; ")
        return f"all files that it ran are left out: {named}"
    if ran.processes:
        return f"{len(ran.processes)} of its processes started a spy, and ran no file of the app"
    others = sorted({p.service for p in all_})
    return f"no process of it wrote to {data_dir}; there are records of: " + (
        ", ".join(others) or "nobody"
    )
