"""Keys of a Redis that tests left, found by SCAN and deleted without holding others up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from nomock.cleanup.kind import Found, Kind, Removed
from nomock.cleanup.rules import KeyRule
from nomock.names import OWNER
from nomock.stack.redis import Redis

_RUN = re.compile(OWNER.removeprefix("^"))


class Keys(Kind):
    """The keys that one rule finds."""

    name = "keys"

    def __init__(self, redis: Redis, rule: KeyRule) -> None:
        super().__init__()
        self._redis = redis
        self._rule = rule
        self._where = f"{redis.service.name} {' '.join(rule.keys)}"

    def look(self) -> list[Found]:
        """Return the keys by run; raise CleanupError where it cannot be asked."""
        found = sorted(self._redis.keys(self._rule.keys, db=self._rule.db))
        counts = Counter(_run(key) for key in found)
        examples = {_run(key): _text(key) for key in reversed(found)}
        return [
            Found(self.name, self._where, run, count, examples[run])
            for run, count in sorted(counts.items())
        ]

    def remove(self, runs: Collection[str]) -> Removed:
        """Delete the keys of some runs; raise CleanupError where it cannot be asked."""
        found = self._redis.keys(self._rule.keys, db=self._rule.db)
        meant = [key for key in found if _run(key) in runs]
        return Removed(self._redis.delete(meant, db=self._rule.db))


def _run(key: bytes) -> str:
    found = _RUN.search(_text(key))
    return found[1] if found else ""


def _text(key: bytes) -> str:
    return key.decode(errors="replace")
