"""A plugin of pytest, `-p edit_parts`: what the parts of a run took, to the file EDIT_PARTS."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

_BEGAN_S = perf_counter()
# Before this module there was only the interpreter, and pytest itself.
_spans: list[tuple[str, float, float]] = []


def _timed(owner: Any, name: str, part: str) -> None:
    call: Callable[..., Any] = getattr(owner, name)

    def timed(*arguments: Any, **named: Any) -> Any:
        began = perf_counter()
        try:
            return call(*arguments, **named)
        finally:
            _spans.append((part, began - _BEGAN_S, perf_counter() - _BEGAN_S))

    setattr(owner, name, timed)


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    from nomock.coverage.affected import choose
    from nomock.stack import compose, replacing

    _timed(choose, "resolve", "resolve")
    _timed(choose.Affected, "__init__", "compare files")
    _timed(compose, "start_up", "build and replace")
    _timed(replacing, "wait_until_ready", "of it: until ready")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop() -> Iterator[Any]:
    began = perf_counter()
    result = yield
    _spans.append(("wait and tests", began - _BEGAN_S, perf_counter() - _BEGAN_S))
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    began = perf_counter()
    yield
    _spans.append(("collection", began - _BEGAN_S, perf_counter() - _BEGAN_S))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    began = perf_counter()
    result = yield
    _spans.append(("test", began - _BEGAN_S, perf_counter() - _BEGAN_S))
    return result


def pytest_unconfigure() -> None:
    _spans.append(("whole", 0.0, perf_counter() - _BEGAN_S))
    Path(os.environ["EDIT_PARTS"]).write_text(json.dumps(_spans))
