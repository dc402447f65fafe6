"""The stack of each test's own inputs: made anew where a test overrides what it was made from.

pytest keeps a session's fixture until the session ends, also for tests for which something else
stands behind the fixtures that it was made from.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from nomock.plugin.items import INPUTS, inputs_of


class FixtureOverrides:
    """The hooks that see what is made from the inputs, and end it before a test with others."""

    def __init__(self) -> None:
        self._item: pytest.Item | None = None
        # What was made, each with pytest's request for it and the definitions of the inputs.
        self._made: dict[pytest.FixtureDef[Any], tuple[Any, list[object]]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """End what was made from other inputs than those of this test, and all that uses it."""
        self._item = item
        inputs = inputs_of(item) if self._made else []
        for made, (request, of) in reversed(self._made.copy().items()):
            # The end of another one may have been the end of this one, too.
            if inputs and of != inputs and made in self._made:
                made.finish(request)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: Any
    ) -> Generator[None, object, object]:
        """Remember what the stack is made from, and whatever else takes an input."""
        if self._item is not None and not INPUTS.isdisjoint(fixturedef.argnames):
            self._made[fixturedef] = request, inputs_of(self._item)
        return (yield)

    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Forget what has ended."""
        self._made.pop(fixturedef, None)
