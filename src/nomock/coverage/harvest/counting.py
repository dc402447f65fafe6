"""How many lines there are, and how many ran: coverage.py reads the sources and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.coverage.harvest.gather import Gathered, Lines
from nomock.coverage.harvest.records import numbers


@dataclass(frozen=True)
class Row:
    """The coverage of a service, or of all: files, executable lines, and tests that ran any."""

    name: str
    files: int
    lines: int
    covered: int
    tests: int

    @property
    def percent(self) -> float:
        """How many of the lines ran; all of none."""
        return 100 * self.covered / self.lines if self.lines else 100.0


@dataclass(frozen=True)
class Counted:
    """The rows of a table, and what is in none of them."""

    services: tuple[Row, ...]
    """The rows of the services that reported lines, by name."""
    total: Row
    """All source files of this machine, each counted once."""
    unread: Mapping[Path, str]
    """The sources that coverage.py cannot read as Python -> what it says."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return all rows, the total's last."""
        return (*self.services, self.total)


def count(gathered: Gathered, test: str | None = None) -> Counted:
    """Count the lines of each service, and of all, in all contexts or in those of a test.

    In the total each file of this machine counts once, and a line as covered when any service
    ran it. A file that cannot be read as Python does not count.
    """
    counter = _Counter()
    total: Lines = {}
    services = []
    for name, service in gathered.services.items():
        lines = service.union(test)
        for path, ran in lines.items():
            total[path] = total.get(path, 0) | ran
        every = dict.fromkeys(service.unrun.own, 0) | lines
        tests = len(service.tests & {test} if test else service.tests)
        services.append(counter.row(name, every, tests))
    tests = len(gathered.tests & {test} if test else gathered.tests)
    all_ = counter.row("total", dict.fromkeys(gathered.unrun, 0) | total, tests)
    return Counted(tuple(services), all_, counter.unread)


class _Counter:
    """Counts by coverage.py's own reading: statements, exclusions, statements of several lines.

    Reading a source is what takes the time, so that each is read once for all rows in which the
    same lines of it ran.
    """

    def __init__(self) -> None:
        self._counted: dict[tuple[Path, int], tuple[int, int]] = {}
        self.unread: dict[Path, str] = {}

    def row(self, name: str, files: Mapping[Path, int], tests: int) -> Row:
        todo = {
            path: ran
            for path, ran in files.items()
            if (path, ran) not in self._counted and path not in self.unread
        }
        self._count(todo)
        counts = [self._counted[item] for item in files.items() if item[0] not in self.unread]
        return Row(name, len(counts), sum(n for n, _ in counts), sum(n for _, n in counts), tests)

    def _count(self, files: Mapping[Path, int]) -> None:
        import coverage  # slow to load, and needed in covered runs only
        from coverage.exceptions import CoverageException

        measured = coverage.Coverage(data_file=None, config_file=False)
        data = measured.get_data()
        data.add_lines({str(path): numbers(ran) for path, ran in files.items()})
        for path, ran in files.items():
            try:
                _, statements, _, missing, _ = measured.analysis2(str(path))
            except CoverageException as error:
                self.unread[path] = _said(str(error), path)
                continue
            self._counted[path, ran] = len(statements), len(statements) - len(missing)


def _said(error: str, path: Path) -> str:
    """Return what is wrong with a source without its name, which is said beside it.

    >>> _said("Couldn't parse '/a.py' as Python source: 'invalid syntax' at line 1", Path("/a.py"))
    "'invalid syntax' at line 1"
    """
    return error.rpartition(f"'{path}' as Python source: ")[2]
