"""The ledgers of one pytest process: what its tests make on each stack, undone when they are over.

What a fixture of a wider scope makes is undone when that fixture ends.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from nomock.cleanup.rules import HttpRule
from nomock.errors import LedgerError
from nomock.ledger.book import Book
from nomock.ledger.lane import WorkerLane
from nomock.ledger.ledger import Ledger
from nomock.ledger.posts import Posts
from nomock.stack import Stack


class Ledgers:
    """One ledger a stack, and the hooks that see which fixture makes something."""

    def __init__(self, run_id: str, worker: Callable[[], int]) -> None:
        self.run_id = run_id
        self._worker = worker
        self._ledgers: dict[Stack, Ledger] = {}
        self._owners: list[object] = []
        self.failed: list[str] = []
        """What could not be undone when the run ended."""

    def of(self, stack: Stack) -> Ledger:
        """Return the ledger of a stack; from then on what its rules say is written down."""
        if stack not in self._ledgers:
            name, state_dir = stack.name, stack.settings.state_dir
            ledger = Ledger(stack, Book(state_dir, name, self.run_id, self._worker()))
            self._ledgers[stack] = ledger
            rules = [r for r in stack.settings.cleanup if isinstance(r, HttpRule) and r.post]
            if rules:
                stack.call_before_request(Posts(rules, ledger).sending)
            self._tell_owner()
        return self._ledgers[stack]

    def lane(self, stack: Stack) -> WorkerLane:
        """Return what names what tests make on a stack."""
        return WorkerLane(self.of(stack), self.run_id, self._worker())

    def end_test(self) -> str:
        """Undo what the test made; return what could not be."""
        return self._end(None)

    def close(self, *, undo: bool) -> None:
        """Undo what an interrupted test left, and let the files go."""
        for ledger in self._ledgers.values():
            if undo:
                try:
                    ledger.end_all()
                except LedgerError as error:
                    self.failed.append(str(error))
            ledger.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        """See which fixture makes what is written down meanwhile."""
        self._owners.append(None if fixturedef.scope == "function" else fixturedef)
        self._tell_owner()
        try:
            return (yield)
        finally:
            self._owners.pop()
            self._tell_owner()

    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Undo what a fixture of a wider scope made, once it has ended."""
        if fixturedef.scope != "function" and (failed := self._end(fixturedef)):
            pytest.fail(failed, pytrace=False)

    def _tell_owner(self) -> None:
        for ledger in self._ledgers.values():
            ledger.owner = self._owners[-1] if self._owners else None

    def _end(self, owner: object) -> str:
        failed = []
        for ledger in self._ledgers.values():
            try:
                ledger.end(owner)
            except LedgerError as error:
                failed.append(str(error))
        return "\n".join(failed)
