"""The seeds of a test that is replayed: its schedules are to be the same again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

SEEDS = "NOMOCK_REPLAY_SEEDS"
"""The variable that ``nomock replay`` gives to pytest: JSON, test -> the seeds of its schedules."""


def seeds_of(test: str) -> Iterator[int]:
    """Yield the seeds of a test's schedules in their order; none where it is not replayed."""
    try:
        found = json.loads(os.environ.get(SEEDS, "{}"))
    except ValueError:
        return
    yield from (int(seed) for seed in found.get(test, ()))
