"""What the processes of all services ran, as coverage.py data and as numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.errors import CoverageError, NoCoverageError
from nomock.harvest.folder import DATA_FILE
from nomock.harvest.records import Process, read_all
from nomock.harvest.sources import HostPaths, ServiceSource, beside


@dataclass(frozen=True)
class Row:
    """The coverage of a service, or of all: files and executable lines."""

    name: str
    files: int
    lines: int
    covered: int

    @property
    def percent(self) -> float:
        """How many of the lines ran; all of none."""
        return 100 * self.covered / self.lines if self.lines else 100.0


@dataclass(frozen=True)
class Harvest:
    """What was collected of a run."""

    services: tuple[Row, ...]
    """The services that reported lines, by name. A shared file counts for each that loads it."""
    total: Row
    """All source files of this machine, each counted once."""
    data_file: Path
    """coverage.py's data of all services: ``coverage report --data-file=…`` reads it."""
    failure: NoCoverageError | None
    """Names the services that reported nothing; None when each did."""
    damaged: int
    """Records that could not be read, such as the one a killed process was writing."""


def harvest(
    data_dir: Path, services: Mapping[str, ServiceSource], run: str | None = None
) -> Harvest:
    """Collect what the spies of the services wrote to a folder, of one run or of all there is.

    The services may go on running. Raises CoverageError when a file that ran cannot be found on
    this machine or not be read as Python; that a service reported nothing is not raised but in
    the result, beside what the others reported.
    """
    processes = read_all(data_dir, run)
    silent: dict[str, str] = {}
    ran: dict[str, dict[Path, set[int]]] = {}
    rows = []
    for name, source in sorted(services.items()):
        own = [p for p in processes if p.service == name]
        if any(p.lines for p in own):
            ran[name] = _on_host(own, HostPaths(source))
            rows.append(_row(name, _with_unrun(ran[name], source.folders[:1])))
        else:
            silent[name] = _why_silent(own, processes, data_dir)
    combined: dict[Path, set[int]] = {}
    for files in ran.values():
        for path, lines in files.items():
            combined.setdefault(path, set()).update(lines)
    combined = _with_unrun(combined, ())
    return Harvest(
        services=tuple(rows),
        total=_row("total", combined),
        data_file=_write(combined, data_dir / DATA_FILE),
        failure=NoCoverageError(silent) if silent else None,
        damaged=sum(p.damaged for p in processes),
    )


def _on_host(processes: Iterable[Process], paths: HostPaths) -> dict[Path, set[int]]:
    """Return the lines that ran, by file on this machine."""
    files = {file for process in processes for file in process.lines}
    mapped = paths.map(files)
    lines: dict[Path, set[int]] = {}
    for process in processes:
        for file, numbers in process.lines.items():
            lines.setdefault(mapped[file], set()).update(numbers)
    return lines


def _with_unrun(files: Mapping[Path, set[int]], folders: Collection[Path]) -> dict[Path, set[int]]:
    """Add the files that did not run at all, with no line: those beside files of some folders.

    A service is asked about its own build context; a file of a shared one, which every service
    has in its image, counts for a service that loads it, and always in the total.
    """
    lines = dict(files)
    for path in files:
        if not folders or any(path.is_relative_to(folder.resolve()) for folder in folders):
            for other in beside(path):
                lines.setdefault(other, set())
    return lines


def _why_silent(own: list[Process], all_: list[Process], data_dir: Path) -> str:
    unsupported = sorted({p.unsupported for p in own if p.unsupported})
    if unsupported:
        return "; ".join(unsupported)
    if own:
        return f"{len(own)} of its processes started a spy, and ran no file of the app"
    others = sorted({p.service for p in all_})
    return f"no process of it wrote to {data_dir}; there are records of: " + (
        ", ".join(others) or "nobody"
    )


def _row(name: str, files: Mapping[Path, set[int]]) -> Row:
    """Count by coverage.py's own reading of the sources: statements, exclusions, long lines."""
    import coverage  # slow to load, and needed in covered runs only
    from coverage.exceptions import CoverageException

    measured = coverage.Coverage(data_file=None, config_file=False)
    data = measured.get_data()
    data.add_lines({str(path): lines for path, lines in files.items()})
    data.touch_files([str(path) for path in files])
    lines = covered = 0
    for path in files:
        try:
            _, statements, _, missing, _ = measured.analysis2(str(path))
        except CoverageException as error:
            raise CoverageError(
                "coverage.py cannot read this source",
                where=str(path),
                seen=str(error),
                todo="run nomock with a Python that is at least as new as the service's",
            ) from error
        lines += len(statements)
        covered += len(statements) - len(missing)
    return Row(name, len(files), lines, covered)


def _write(files: Mapping[Path, set[int]], data_file: Path) -> Path:
    from coverage import CoverageData

    data_file.unlink(missing_ok=True)
    data = CoverageData(basename=str(data_file))
    data.add_lines({str(path): lines for path, lines in files.items()})
    data.touch_files([str(path) for path in files])
    data.write()
    data.close()
    return data_file
