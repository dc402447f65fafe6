"""What became of invariants, for the page of ``nomock quality``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nomock.baggage import current_test
from nomock.errors import QualityError
from nomock.filelock import FileLock
from nomock.quality.left import Invariant, Properties, leave, left
from nomock.statefolder import make_state_dir


@dataclass(frozen=True)
class Outcome:
    """An invariant, and whether it held."""

    name: str
    holds: bool


def note(state_dir: Path, outcomes: Iterable[Outcome], examples: int, seconds: float) -> None:
    """Write down what became of a test's invariants, in place of what was known of them.

    Tests of several workers write into one file, one after the other. Raises StateFolderError.
    """
    test = current_test() or ""
    fresh = [
        Invariant(each.name, test, examples, round(seconds, 1), "holds" if each.holds else "broken")
        for each in outcomes
    ]
    make_state_dir(state_dir)
    with closing(FileLock(state_dir / "properties.lock")) as lock:
        lock.acquire(exclusive=True)
        kept = [each for each in _known(state_dir) if each.test != test]
        when = datetime.now(UTC).isoformat(timespec="seconds")
        leave(state_dir, Properties(when, (*kept, *fresh)))


def _known(state_dir: Path) -> tuple[Invariant, ...]:
    try:
        found = left(state_dir, Properties)
    except QualityError:  # of another version: what is measured now takes its place
        return ()
    return found.invariants if found else ()
