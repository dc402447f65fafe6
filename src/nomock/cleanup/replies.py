"""What a service lists, and deletes itself, because a test made it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nomock.cleanup.kind import Found, Kind, Removed, Trouble
from nomock.cleanup.rules import HttpRule
from nomock.errors import CleanupError, NomockError
from nomock.ledger.posts import at, deletion
from nomock.ledger.undo import expanded
from nomock.names import PREFIX, run_of
from nomock.stack import Stack

_TIMEOUT_S = 30.0


class Replies(Kind):
    """What one rule finds in the answer of a service."""

    name = "things"

    def __init__(self, stack: Stack, rule: HttpRule) -> None:
        super().__init__()
        self._stack = stack
        self._rule = rule
        self._where = f"{rule.http} {rule.list}"

    def look(self) -> list[Found]:
        """Return what is listed by run; raise CleanupError where the service does not list."""
        by_run = dict[str, list[str]]()
        for name, _ in self._items():
            by_run.setdefault(run_of(name), []).append(name)
        return [
            Found(self.name, self._where, run, len(names), min(names))
            for run, names in sorted(by_run.items())
        ]

    def remove(self, runs: Collection[str]) -> Removed:
        """Have the service delete what some runs made; go on past what it refuses."""
        removed, tried = Removed(), set[str]()
        # A page at a time may be listed: again, until nothing is there that was not tried.
        while items := self._untried(runs, tried):
            for key, item in items:
                tried.add(key)
                try:
                    deletion(self._rule, item, self._where).run(self._stack)
                except NomockError as error:
                    removed.troubles.append(Trouble(error.where, error.what, error.seen))
                else:
                    removed.count += 1
        return removed

    def _untried(
        self, runs: Collection[str], tried: Collection[str]
    ) -> list[tuple[str, Mapping[str, Any]]]:
        listed = [(repr(item), item) for name, item in self._items() if run_of(name) in runs]
        return [(key, item) for key, item in listed if key not in tried]

    def _items(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what is listed and named as tests do, each with its fields."""
        from nomock.adapters.http import NETWORK_ERRORS

        headers = {
            key: expanded(value) for key, value in self._rule.headers.items() if "{" not in value
        }
        try:
            with self._stack[self._rule.http].aside().client(timeout=_TIMEOUT_S) as client:
                reply = client.get(self._rule.list, headers=headers)
        except NETWORK_ERRORS as error:
            raise self._refused("no answer", str(error) or type(error).__name__) from error
        if not reply.is_success:
            raise self._refused(f"the service answered {reply.status_code}", reply.text[:500])
        try:
            items = at(reply.json(), self._rule.items)
        except ValueError as error:
            raise self._refused("the answer is no JSON", reply.text[:500]) from error
        if not isinstance(items, list):
            raise self._refused(
                f"there is no list at items = {self._rule.items!r}", reply.text[:500]
            )
        for item in items:
            name = at(item, self._rule.name)
            if isinstance(name, str) and name.startswith(PREFIX):
                yield name, item

    def _refused(self, what: str, seen: str) -> CleanupError:
        return CleanupError(
            f"what tests left cannot be listed: {what}",
            where=f"GET {self._rule.list} of service {self._rule.http}",
            seen=seen,
            todo="mend the rule, or what it says there",
        )
