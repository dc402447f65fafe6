"""What the running stack has covered so far, with nothing stopped."""

from __future__ import annotations

import json
import re
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

from nomock.config import Settings
from nomock.coverage.harvest import count, failures, gather, notes, table
from nomock.coverage.harvest.counting import Row
from nomock.coverage.harvest.folder import RECORDS
from nomock.coverage.session import covered, data_dir, inside, run_of, with_spy
from nomock.errors import ConfigError, CoverageError
from nomock.stack import Stack

_PAUSE_S = 1.0
_MOST_NAMED = 20
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def coverage_live(settings: Settings, chosen: Namespace) -> int:
    """Print the table of what ran; again and again, when it changed, with ``--watch``.

    Returns 1 where lines of the app are missing in it, which the last lines name.
    """
    if chosen.json and chosen.watch:
        raise ConfigError(
            "--watch is for a person, --json for a program",
            where="nomock coverage-live",
            todo="leave one out; a program asks again as often as it likes",
        )
    settings = with_spy(settings)
    since_s = moment(chosen.since, datetime.now()) if chosen.since else None
    stack = Stack.of(settings)
    services = covered(stack)
    folder, asked = data_dir(settings), inside(stack)

    def look() -> tuple[list[str], bool]:
        run = run_of(stack)  # another one may have begun
        gathered = gather(folder, services, run, since_s=since_s, inside=asked)
        if gathered.failure is not None and not gathered.services:
            raise gathered.failure
        test = the_test(chosen.test, gathered.tests) if chosen.test else None
        counted = count(gathered, test)
        missing = list(failures(gathered, counted, allow_unmapped=chosen.allow_unmapped))
        if chosen.json:
            told = {
                "test": test or "",
                "services": [_object(row) for row in counted.services],
                "total": _object(counted.total),
                "without_lines": [*gathered.without_lines],
                "notes": [*notes(gathered, counted)],
                "errors": [str(error) for error in missing],
            }
            return [json.dumps(told, indent=1)], not missing
        lines = [*([test] if test else []), *table(counted.rows, gathered.without_lines)]
        lines += notes(gathered, counted)
        return [*lines, *(f"ERROR {error}" for error in missing)], not missing

    if chosen.watch:
        _watch(folder, look)
        return 0
    lines, whole = look()
    print("\n".join(lines))
    return 0 if whole else 1


def _object(row: Row) -> dict[str, object]:
    counts = {"files": row.files, "lines": row.lines, "covered": row.covered, "tests": row.tests}
    return {"service": row.name, **counts, "percent": round(row.percent, 1)}


def moment(text: str, now: datetime) -> float:
    """Return a moment in seconds since the epoch; a time of day is the last such one.

    >>> moment("90s", datetime.fromtimestamp(1000.0))
    910.0
    """
    if ago := _AGO.fullmatch(text):
        return (now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})).timestamp()
    try:
        if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", text):
            format_ = "%H:%M:%S" if text.count(":") == 2 else "%H:%M"
            then = datetime.combine(now.date(), datetime.strptime(text, format_).time())
            return (then if then <= now else then - timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no moment",
            where="--since",
            todo="a time of day (10:15, 10:15:30), a date and time (2026-11-21T10:15), "
            "or how long ago: 90s, 5m, 2h",
        ) from error


def the_test(part: str, tests: Collection[str]) -> str:
    """Return the test whose id is given, or of whose id only one has the given part.

    Raises CoverageError where it is none or several.
    """
    found = [part] if part in tests else sorted(test for test in tests if part in test)
    if len(found) == 1:
        return found[0]
    named = found[:_MOST_NAMED]
    if len(found) > _MOST_NAMED:
        named.append(f"and {len(found) - _MOST_NAMED} more")
    raise CoverageError(
        f"{len(found)} tests have {part!r} in their id"
        if found
        else f"no test that has {part!r} in its id ran a line",
        where="--test",
        seen="\n".join(named) or f"tests that did: {len(tests)}",
        todo="give the whole id, or a part that only one has",
    )


def _watch(folder: Path, look: Callable[[], tuple[list[str], bool]]) -> None:
    """Print the table each time that a file of records has grown, until Ctrl-C.

    What cannot be told later on, as while services start anew, is said in its place.
    """
    seen, shown = None, 0
    try:
        while True:
            there = sorted(_sizes(folder))
            if there != seen:
                seen = there
                try:
                    lines, _ = look()
                except CoverageError as error:
                    if not shown:
                        raise
                    lines = str(error).splitlines()
                shown = _show(lines, shown)
            Event().wait(_PAUSE_S)
    except KeyboardInterrupt:
        return


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for path in folder.glob(RECORDS):
        with suppress(FileNotFoundError):  # a new run began
            yield path.name, path.stat().st_size


def _show(lines: list[str], before: int) -> int:
    """Print lines, on a terminal over those before; return how many there are."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        lines = [line[:width] for line in lines]  # one that wraps would be two to go up
        if before:
            print(f"\x1b[{before}F\x1b[J", end="")
    elif before:
        print()
    print("\n".join(lines), flush=True)
    return len(lines)
