"""The reports of a harvest: a table, HTML, XML, JSON and LCOV."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from nomock.adapters.git import top_of
from nomock.coverage.harvest.combine import Harvest
from nomock.coverage.harvest.counting import Row
from nomock.errors import CoverageError

_HEAD = ("service", "files", "lines", "covered", "%", "tests")


def table(rows: Iterable[Row], silent: Iterable[str] = ()) -> list[str]:
    """Return the table's lines: the services by name, then the total.

    A service that reported nothing has dashes: it is not known what it ran.
    """
    *services, total = [_cells(row) for row in rows]
    services += [(name, "-", "-", "-", "none", "-") for name in silent]
    body = [_HEAD, *sorted(services), total]
    widths = [max(len(row[column]) for row in body) for column in range(len(_HEAD))]
    lines = []
    for row in body:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *numbers]))
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.files, row.lines, row.covered)
    return (row.name, *map(str, counts), percent(row), str(row.tests))


def percent(row: Row) -> str:
    """Return the percentage with one decimal; 0.0 and 100.0 are said of none and all alone.

    Where there is no file it is none.

    >>> percent(Row("auth", 1, 9999, 9998, 1))
    '99.9'
    """
    if not row.files:
        return "none"
    rounded = f"{row.percent:.1f}"
    if rounded == "100.0" and row.covered < row.lines:
        return "99.9"
    if rounded == "0.0" and row.covered > 0:
        return "0.1"
    return rounded


def report(harvest: Harvest, root: Path, out_dir: Path) -> Path:
    """Write every report to a folder; return the HTML's first page.

    Paths in the reports are relative to the repository that ``root`` is in, or else to that, as
    services such as Codecov, SonarQube and GitLab look them up. Each report is a process of
    coverage.py, which takes them relative to where it runs, and reads all sources again for each
    report: so they also share the machine's cores.

    Raises CoverageError where there is nothing to report on, or the folder cannot be written.
    """
    if not harvest.total.files:
        raise CoverageError("there is nothing to report on", where=str(harvest.data_file))
    commands = {
        "html/index.html": [
            *("html", "--show-contexts", "--title=Coverage of the services"),
            f"--directory={out_dir / 'html'}",
        ],
        # Without contexts, which coverage.py repeats for each function: 84 MB of 1500 lines.
        "coverage.json": ["json", f"-o{out_dir / 'coverage.json'}"],
        "coverage.xml": ["xml", f"-o{out_dir / 'coverage.xml'}"],
        "lcov.info": ["lcov", f"-o{out_dir / 'lcov.info'}"],
    }
    try:
        if not out_dir.is_dir():
            out_dir.mkdir(parents=True)
            # A folder that was there is its user's, whatever is in it.
            (out_dir / ".gitignore").write_text("# made by nomock; may be deleted\n*\n")
        # By it coverage.py keeps a page where the same lines ran, though in other tests.
        (out_dir / "html/status.json").unlink(missing_ok=True)
    except OSError as error:
        raise _unwritten(out_dir, str(error)) from error
    base = top_of(root) or root
    running = {f: _start(command, harvest.data_file, base) for f, command in commands.items()}
    ended = {
        file: (process.communicate()[0], process.returncode) for file, process in running.items()
    }
    for file, (text, code) in ended.items():
        if code != 0:
            raise _unwritten(out_dir / file, text)
    return out_dir / "html/index.html"


def _start(command: list[str], data_file: Path, root: Path) -> subprocess.Popen[str]:
    kind, *options = command
    # An empty configuration: the project's own is about its tests' process.
    # What became unreadable meanwhile costs a report its page of that, and no more.
    common = ["--quiet", "--ignore-errors", f"--data-file={data_file}", f"--rcfile={os.devnull}"]
    return subprocess.Popen(
        [sys.executable, "-m", "coverage", kind, *common, *options],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _unwritten(where: Path, seen: str) -> CoverageError:
    return CoverageError("the coverage report cannot be written", where=str(where), seen=seen)
