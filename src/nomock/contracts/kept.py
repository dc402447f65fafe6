"""What the checks of contracts leave for the page of quality: each check its own part of a file."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from nomock.errors import QualityError
from nomock.filelock import FileLock
from nomock.quality.left import Check, Contracts, leave, left
from nomock.statefolder import make_state_dir

_LONGEST_S = 10.0


def keep(state_dir: Path, name: str, checked: int, findings: Iterable[str]) -> None:
    """Replace what a check left; what the others left stays. Raises StateFolderError."""
    check = Check(name, checked, tuple(findings))
    make_state_dir(state_dir)
    lock = FileLock(state_dir / "quality" / "contracts.lock")
    lock.acquire(exclusive=True, timeout_s=_LONGEST_S)
    try:
        before = None
        with suppress(QualityError):  # of another version: nothing of it is worth keeping
            before = left(state_dir, Contracts)
        others = [one for one in before.checks if one.name != name] if before else []
        when = datetime.now(UTC).isoformat(timespec="seconds")
        checks = sorted([*others, check], key=lambda one: one.name)
        leave(state_dir, Contracts(when, tuple(checks)))
    finally:
        lock.close()
