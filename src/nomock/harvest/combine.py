"""The harvest of a run: gathered, counted, and written as coverage.py's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.errors import NoCoverageError
from nomock.harvest.counting import Row, count
from nomock.harvest.datafile import write
from nomock.harvest.folder import DATA_FILE
from nomock.harvest.gather import gather, with_unrun
from nomock.harvest.notes import notes
from nomock.harvest.sources import ServiceSource


@dataclass(frozen=True)
class Harvest:
    """What was collected of a run."""

    services: tuple[Row, ...]
    """The services that reported lines, by name. A shared file counts for each that loads it."""
    total: Row
    """All source files of this machine, each counted once."""
    data_file: Path
    """coverage.py's data of all services: ``coverage report --data-file=…`` reads it."""
    files: Mapping[Path, frozenset[str]]
    """The source files of this machine that ran -> the services that ran them."""
    failure: NoCoverageError | None
    """Names the services that reported nothing; None when each did."""
    notes: tuple[str, ...]
    """What a reader of the numbers has to know, a line each."""


def harvest(
    data_dir: Path,
    services: Mapping[str, ServiceSource],
    run: str | None = None,
    *,
    allow_unmapped: bool = False,
) -> Harvest:
    """Collect what the spies of the services wrote to a folder, of one run or of all there is.

    The services may go on running. Raises CoverageError when a file that ran cannot be found on
    this machine (unless that is allowed) or not be read as Python; that a service reported
    nothing is not raised but in the result, beside what the others reported.
    """
    gathered = gather(data_dir, services, run, allow_unmapped=allow_unmapped)
    files: dict[Path, frozenset[str]] = {}
    for name, service in gathered.services.items():
        for path in service.files():
            files[path] = files.get(path, frozenset()) | {name}
    *rows, total = count(gathered)
    return Harvest(
        services=tuple(rows),
        total=total,
        data_file=write(gathered, {*files, *with_unrun(files)}, data_dir / DATA_FILE),
        files=files,
        failure=gathered.failure,
        notes=tuple(notes(gathered)),
    )
