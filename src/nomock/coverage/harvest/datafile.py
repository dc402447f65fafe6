"""Writing what was gathered as coverage.py's data, each line with the contexts it ran in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from nomock.coverage.harvest.gather import Gathered
from nomock.coverage.harvest.records import Arc, numbers
from nomock.errors import CoverageError


def write(gathered: Gathered, unread: Collection[Path], data_file: Path) -> Path:
    """Write the data of all services, and of files that did not run; return its path.

    Without those that cannot be read as Python: coverage.py would end at the first of them.

    Where branches were measured they are in it, and a line is an arc from itself to itself, as
    coverage.py's own core for sys.monitoring has it: one data file holds lines or arcs only.

    Raises CoverageError where it cannot be written; there is no file then.
    """
    from coverage.exceptions import CoverageException  # slow to load, needed in covered runs only

    try:
        data_file.unlink(missing_ok=True)
        _write(gathered, unread, data_file)
    except (OSError, CoverageException) as error:
        with suppress(OSError):
            data_file.unlink(missing_ok=True)
        raise CoverageError(
            "coverage.py's data cannot be written, so that there is no report but the table",
            where=str(data_file),
            seen=str(error),
            todo="free space there, or let this user write there",
        ) from error
    return data_file


def _write(gathered: Gathered, unread: Collection[Path], data_file: Path) -> None:
    from coverage import CoverageData

    data = CoverageData(basename=str(data_file))
    try:
        arcs = None if gathered.without_branches else _arcs(gathered)
        # Says which of the two it holds, even where that is nothing.
        (data.add_lines if arcs is None else data.add_arcs)({})
        for label, lines in _lines(gathered, unread).items():
            data.set_context(label)
            if arcs is None:
                data.add_lines({path: numbers(ran) for path, ran in lines.items()})
            else:
                data.add_arcs(
                    {
                        path: {(n, n) for n in numbers(ran)}.union(
                            arc for arc in arcs.get((label, path), ()) if _ran(arc, ran)
                        )
                        for path, ran in lines.items()
                    }
                )
        data.set_context("")
        ran = {path for service in gathered.services.values() for path in service.files()}
        data.touch_files([str(path) for path in ran | gathered.unrun if path not in unread])
        data.write()
    finally:
        data.close()


def _lines(gathered: Gathered, unread: Collection[Path]) -> dict[str, dict[str, int]]:
    """Return context -> file -> lines, of all services."""
    merged: dict[str, dict[str, int]] = defaultdict(dict)
    for service in gathered.services.values():
        for context, files in service.lines.items():
            lines = merged[context.label]
            for path, ran in files.items():
                if path in unread:
                    continue
                lines[str(path)] = lines.get(str(path), 0) | ran
    return merged


def _ran(arc: Arc, lines: int) -> bool:
    """Tell whether both ends of an arc ran: a spy does not know what an exception skipped."""
    begin, end = arc
    return lines >> begin & 1 == 1 and (end < 0 or lines >> end & 1 == 1)


def _arcs(gathered: Gathered) -> dict[tuple[str, str], set[Arc]]:
    """Return context and file -> branches, of all services."""
    merged: dict[tuple[str, str], set[Arc]] = defaultdict(set)
    for service in gathered.services.values():
        for (context, path), arcs in service.arcs.items():
            merged[context.label, str(path)].update(arcs)
    return merged
