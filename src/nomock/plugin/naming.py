"""Whether the names of tests are sentences, as the setting ``test_names`` has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import unwrap
from pathlib import Path

import pytest

from nomock.config import Settings
from nomock.plugin.workers import NUMBER
from nomock.quality.names import FORM, suggestion

_MOST_SHOWN = 20
_INSTALLED = {"site-packages", "dist-packages"}


def refused_names(settings: Settings, items: Iterable[pytest.Item]) -> str:
    """Return why a run is not to begin, by the names of its tests; warn where that is enough."""
    if settings.test_names == "off":
        return ""
    found = dict(_suggestions(items))
    if settings.test_names == "error":
        if not found:
            return ""
        lines = [
            f"  {item.nodeid.partition('[')[0]}\n    -> {name}" for item, name in found.items()
        ]
        more = [f"  and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
        what = f"{len(found)} tests are not named {FORM} (test_names = 'error')"
        return "\n".join([what, *lines[:_MOST_SHOWN], *more])
    for item, name in found.items():
        if getattr(item.config, "workerinput", {NUMBER: 1})[NUMBER] != 1:
            break  # of workers, who all have these tests, the first one says it
        item.warn(pytest.PytestWarning(f"its name is not {FORM}: {name}?"))
    return ""


def _suggestions(items: Iterable[pytest.Item]) -> Iterator[tuple[pytest.Item, str]]:
    """Yield the first item of each test whose name is no sentence, with one that is."""
    seen = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if test not in seen and _is_named_by_hand(item):
            seen.add(test)
            class_ = getattr(item, "cls", None)
            if name := suggestion(_name(item), class_.__name__ if class_ else ""):
                yield item, name


def _is_named_by_hand(item: pytest.Item) -> bool:
    """Tell whether it is a function ``test_…``.

    Doctests and files of other kinds have no such name, unittest's ``testLogin`` is another
    convention, and what installed packages define is not the user's: pytest-bdd makes the name of a
    scenario's words.
    """
    if not isinstance(item, pytest.Function) or not _name(item).startswith("test_"):
        return False
    code = getattr(unwrap(item.function), "__code__", None)
    return code is not None and not _INSTALLED & {*Path(code.co_filename).parts}


def _name(item: pytest.Item) -> str:
    return getattr(item, "originalname", None) or item.name
