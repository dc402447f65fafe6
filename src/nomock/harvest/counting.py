"""How many lines there are, and how many ran: coverage.py reads the sources and counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.errors import CoverageError
from nomock.harvest.gather import Gathered, Lines, with_unrun
from nomock.harvest.records import numbers


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


def count(gathered: Gathered, test: str | None = None) -> Iterator[Row]:
    """Yield the row of each service, then the total, of all contexts or of those of a test.

    In the total each file of this machine counts once, and a line as covered when any service
    ran it. Raises CoverageError where a file cannot be read as Python.
    """
    counter = _Counter()
    total: Lines = {}
    for name, service in gathered.services.items():
        lines = service.union(test)
        for path, ran in lines.items():
            total[path] = total.get(path, 0) | ran
        every = dict.fromkeys(with_unrun(lines, service.source), 0) | lines
        yield counter.row(name, every, len(service.tests & {test} if test else service.tests))
    tests = gathered.tests & {test} if test else gathered.tests
    yield counter.row("total", dict.fromkeys(with_unrun(total), 0) | total, len(tests))


class _Counter:
    """Counts by coverage.py's own reading: statements, exclusions, statements of several lines.

    Reading a source is what takes the time, so that each is read once for all rows in which the
    same lines of it ran.
    """

    def __init__(self) -> None:
        self._counted: dict[tuple[Path, int], tuple[int, int]] = {}

    def row(self, name: str, files: Mapping[Path, int], tests: int) -> Row:
        todo = {path: ran for path, ran in files.items() if (path, ran) not in self._counted}
        self._count(todo)
        counts = [self._counted[item] for item in files.items()]
        return Row(name, len(files), sum(n for n, _ in counts), sum(n for _, n in counts), tests)

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
                raise CoverageError(
                    "coverage.py cannot read this source",
                    where=str(path),
                    seen=str(error),
                    todo="run nomock with a Python that is at least as new as the service's",
                ) from error
            self._counted[path, ran] = len(statements), len(statements) - len(missing)
