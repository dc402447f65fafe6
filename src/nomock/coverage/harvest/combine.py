"""The harvest of a run: gathered, counted, and written as coverage.py's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.coverage.harvest.counting import Row, count
from nomock.coverage.harvest.datafile import write
from nomock.coverage.harvest.folder import DATA_FILE
from nomock.coverage.harvest.gather import gather
from nomock.coverage.harvest.inside import Unknown
from nomock.coverage.harvest.notes import failures, notes
from nomock.coverage.harvest.services import ServiceSource
from nomock.errors import CoverageError


@dataclass(frozen=True)
class Harvest:
    """What was collected of a run."""

    services: tuple[Row, ...]
    """The services that reported lines, by name. A shared file counts for each that loads it."""
    total: Row
    """All source files of this machine, each counted once."""
    data_file: Path
    """coverage.py's data of all services: ``coverage report --data-file=…`` reads it.

    There is none where it could not be written, which is one of the failures.
    """
    files: Mapping[Path, frozenset[str]]
    """The source files of this machine that ran -> the services that ran them."""
    silent: tuple[str, ...]
    """The services that reported no line; one that has no file of the app is no failure."""
    failures: tuple[CoverageError, ...]
    """What is missing: services without a line, files that ran, coverage.py's data."""
    notes: tuple[str, ...]
    """What a reader of the numbers has to know, a line each."""


def harvest(
    data_dir: Path,
    services: Mapping[str, ServiceSource],
    run: str | None = None,
    *,
    allow_unmapped: bool = False,
    inside: Unknown | None = None,
) -> Harvest:
    """Collect what the spies of the services wrote to a folder, of one run or of all there is.

    The services may go on running; ``inside`` tells what is in their containers. What is missing
    is not raised but in the result, beside what there is; ``allow_unmapped`` makes a file that is
    missing a note. Raises CoverageError where records cannot be read.
    """
    gathered = gather(data_dir, services, run, inside=inside)
    counted = count(gathered)
    files: dict[Path, frozenset[str]] = {}
    for name, service in gathered.services.items():
        for path in service.files() - counted.unread.keys():
            files[path] = files.get(path, frozenset()) | {name}
    failed = list(failures(gathered, counted, allow_unmapped=allow_unmapped))
    data_file = data_dir / DATA_FILE
    try:
        write(gathered, counted.unread.keys(), data_file)
    except CoverageError as error:  # on a full disk: the table tells what it can all the same
        failed.append(error)
    return Harvest(
        services=counted.services,
        total=counted.total,
        data_file=data_file,
        files=files,
        silent=gathered.without_lines,
        failures=tuple(failed),
        notes=tuple(notes(gathered, counted)),
    )
