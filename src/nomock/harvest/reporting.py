"""The reports of a harvest: a table, HTML and XML."""

from __future__ import annotations

from pathlib import Path

from nomock.errors import CoverageError
from nomock.harvest.combine import Harvest, Row

COLUMNS = ("Service", "Files", "Lines", "Covered", "%")


def rows(harvest: Harvest) -> list[tuple[str, str, str, str, str]]:
    """Return the table as text, by row: the services by name, then the total.

    A service that reported nothing has dashes: it is not known what it ran.
    """
    table = {row.name: _cells(row) for row in harvest.services}
    if harvest.failure is not None:
        table |= {name: (name, "-", "-", "-", "none") for name in harvest.failure.services}
    return [*(table[name] for name in sorted(table)), _cells(harvest.total)]


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    return row.name, str(row.files), str(row.lines), str(row.covered), percent(row)


def percent(row: Row) -> str:
    """Return the percentage with one decimal; 0.0 and 100.0 are said of none and all alone.

    >>> percent(Row("auth", 1, 9999, 9998))
    '99.9'
    """
    rounded = f"{row.percent:.1f}"
    if rounded == "100.0" and row.covered < row.lines:
        return "99.9"
    if rounded == "0.0" and row.covered > 0:
        return "0.1"
    return rounded


def report(harvest: Harvest, out_dir: Path) -> Path:
    """Write ``html/`` and ``coverage.xml`` (Cobertura) to a folder; return the HTML's first page.

    Raises CoverageError where there is nothing to report on, or the folder cannot be written.
    """
    import coverage  # slow to load, and needed in covered runs only
    from coverage.exceptions import CoverageException

    if harvest.failure is not None and not harvest.services:
        raise harvest.failure
    html = out_dir / "html"
    measured = coverage.Coverage(data_file=str(harvest.data_file), config_file=False)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        measured.load()
        measured.html_report(directory=str(html), title="Coverage of the services")
        measured.xml_report(outfile=str(out_dir / "coverage.xml"))
    except (CoverageException, OSError) as error:
        raise CoverageError(
            "the coverage report cannot be written", where=str(out_dir), seen=str(error)
        ) from error
    return html / "index.html"
