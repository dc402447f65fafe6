"""What is left out of a report, and why; and whether lines of the app are missing by that.

An app's file that ran, and whose source is here as another text, or cannot be read, is missed. What
the image, the service itself or another program has written has no source here, and is said.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nomock.coverage.harvest.records import Process
from nomock.coverage.harvest.services import ServiceSource
from nomock.coverage.harvest.sources import Mapped, NoSource

_MOST_NAMED = 5


@dataclass(frozen=True)
class Omitted:
    """A file that is left out."""

    path: str
    """Where it is in the container; or here, where its source is."""
    reason: str
    cure: str = ""
    """What mends it where lines of the app are missing; empty where none are."""


def unmapped(
    source: ServiceSource, mapped: Mapped, is_current: Callable[[str], bool]
) -> Iterator[Omitted]:
    """Yield the files that ran and have no source here.

    ``is_current`` tells whether a service's image was built of its contexts as they are now.
    """
    found = {file.path for file in mapped.found}
    for file, why in sorted(mapped.failed.items(), key=lambda item: item[0].path):
        match why.kind:
            case NoSource.MADE_UP:
                reason, cure = "no such file in the container: code of a name of its own", ""
            case NoSource.ABSENT:
                reason, cure = "no such file in its build contexts and mounts", ""
            case NoSource.EDITED if file.path in found:
                reason, cure = "edited while it ran; what ran of its older text", ""
            case NoSource.EDITED:
                reason = f"differs from {why.nearest}, which was edited since"
                cure = "run again, and leave mounted files alone meanwhile"
            case NoSource.DIFFERS if source.built_by is not None and is_current(source.built_by):
                reason, cure = f"its image changed it: differs from {why.nearest}", ""
            case NoSource.DIFFERS:
                reason = f"differs from {why.nearest}"
                cure = "where they differ, the image is old: build it again"
        yield Omitted(file.path, reason, cure)


def unread(path: Path, seen: str, processes: Iterable[Process], *, ran: bool) -> Omitted:
    """Return a source that cannot be read as Python here, with what mends it if it ran."""
    newest = max((version(process) for process in processes), default=(0, 0))
    reason = f"coverage.py cannot read it: {seen}"
    cure = "mend its source"
    if ran and newest > sys.version_info[:2]:
        here, there = (".".join(map(str, v)) for v in (sys.version_info[:2], newest))
        reason = f"this Python {here} cannot read it: {seen}"
        cure = f"run nomock with Python {there}, which the service has"
    return Omitted(str(path), reason, cure if ran else "")


def version(process: Process) -> tuple[int, int]:
    """Return the version of a process's Python; (0, 0) where it did not say."""
    parts = process.python.split(".")
    try:
        return int(parts[0]), int(parts[1])
    except (IndexError, ValueError):
        return 0, 0


def as_lines(service: str, omitted: Iterable[Omitted]) -> Iterator[str]:
    """Yield what is said below the table, files of one reason together."""
    by_reason: defaultdict[str, set[str]] = defaultdict(set)
    for file in omitted:
        by_reason[file.reason].add(file.path)
    for reason, paths in sorted(by_reason.items(), key=lambda item: sorted(item[1])):
        yield f"{service}: left out: {listed(paths)}: {reason}"


def listed(names: Iterable[object], separator: str = ", ") -> str:
    """Return names in one line, the first few of many.

    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    sorted_names = sorted(map(str, names))
    more = len(sorted_names) - _MOST_NAMED
    named = separator.join(sorted_names[:_MOST_NAMED])
    return f"{named} and {more} more" if more > 0 else named
