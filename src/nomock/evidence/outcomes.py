"""How tests ended with which files, of those that have failed: one of them may be flaky."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from nomock.adapters.git import files_digest
from nomock.config import Settings
from nomock.project import Store

OUTCOMES = "outcomes"
_MOST_OUTCOMES = 20


def remember(settings: Settings, passed: Sequence[str], failed: Sequence[str], at_s: float) -> None:
    """Write down how tests ended with which files, where that may tell of a flaky one.

    A test that has never failed is not written down: there is nothing to tell of it.
    """
    store = Store(settings.state_dir, OUTCOMES)
    known: dict[str, list[list[Any]]] = store.read()
    ended = [(test, True) for test in failed] + [(test, False) for test in passed if test in known]
    if not ended:
        return
    files = files_digest(settings.root)
    for test, is_red in ended:
        known[test] = [*known.get(test, []), [files, is_red, at_s]][-_MOST_OUTCOMES:]
    store.write(known)


def flakiness(settings: Settings, test: str) -> str:
    """Say when a test passed and failed with the same files; "" where it did not."""
    outcomes: Sequence[Sequence[Any]] = Store(settings.state_dir, OUTCOMES).read().get(test, [])
    for files in dict.fromkeys(str(entry[0]) for entry in reversed(outcomes)):
        own = [entry for entry in outcomes if entry[0] == files]
        red = sum(bool(entry[1]) for entry in own)
        if files and 0 < red < len(own):
            when = max(float(entry[2]) for entry in own if not entry[1])
            at = f"{datetime.fromtimestamp(when):%Y-%m-%d %H:%M:%S}"
            return f"with the same files it failed {red} times of {len(own)}, and passed at {at}"
    return ""
