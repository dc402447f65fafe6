"""What the spy puts in the place of an application is taken for the application."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from serving import SPY

sys.path.append(str(SPY))

from nomock_spy.standins import called_as, is_stand_in, stand_in


class Asgi:
    """A framework's application."""

    name = "shop"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> str:
        return f"{scope} {self.name}"

    def __len__(self) -> int:
        return 3

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asgi)

    def __hash__(self) -> int:
        return 7


class Slots:
    """Nothing can be added to one."""

    __slots__ = ("seen",)

    def __call__(self, environ: Any, start_response: Any) -> str:
        return f"{environ}"


class Wsgi:
    """PEP 3333: making one is the call."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        self.environ = environ

    def __iter__(self) -> Iterator[bytes]:
        yield b"body"


async def asgi(scope: Any, receive: Any = None, send: Any = None) -> str:
    return f"{scope}"


def wsgi(environ: Any, start_response: Any) -> str:
    return f"{environ}"


def tried(look: Callable[[Any], object], app: Any) -> object:
    try:
        return look(app)
    except Exception as error:  # what it raises is to be the same
        return type(error)


LOOKS: tuple[Callable[[Any], object], ...] = (
    lambda app: setattr(app, "seen", 1),
    lambda app: app.__class__,
    lambda app: isinstance(app, Asgi),
    inspect.isclass,
    inspect.isfunction,
    inspect.ismethod,
    inspect.isbuiltin,
    inspect.iscoroutinefunction,
    lambda app: inspect.iscoroutinefunction(app.__call__),
    asyncio.iscoroutinefunction,
    lambda app: str(inspect.signature(app)),
    lambda app: type(app()),  # by which uvicorn asks whether it is a factory
    lambda app: app("a", nonsense=1),
    lambda app: app.name,
    lambda app: app.__name__,
    lambda app: app.__doc__,
    vars,
    dir,
    repr,
    hash,
    bool,
    len,
    iter,
    callable,
    lambda app: app.seen,
    lambda app: app.nonsense,
    lambda app: inspect.ismethod(type("Own", (), {"app": app})().app),
    lambda app: type(copy.copy(app)),
    lambda app: type(pickle.loads(pickle.dumps(app))),
)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    "app",
    [
        *(Asgi(), Slots(), Wsgi, asgi, wsgi, os.execve, Asgi().__call__),
        *(functools.partial(asgi, "a"), functools.partial(Asgi(), "a"), lambda environ, start: 1),
    ],
    ids=lambda app: type(app).__name__,
)
def test_the_original_should_be_seen_when_a_stand_in_for_it_is_looked_at(app: Any) -> None:
    calls: list[object] = []

    def call(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return app(*arguments, **named)

    spied = called_as(app, call)
    assert is_stand_in(spied)
    assert not is_stand_in(app)
    # One by one: to copy an object leaves something in its class.
    for number, look in enumerate(LOOKS):
        assert tried(look, spied) == tried(look, app), f"look {number}"
    assert spied == app
    assert app == spied
    assert {app: 1}[spied] == 1
    tried(lambda one: one(1, 2), spied)
    assert calls[-1] == (1, 2)


def test_a_body_should_keep_its_length_when_its_parts_are_made_elsewhere() -> None:
    class Body:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, at: int) -> bytes:
            return [b"a", b"b"][at]

    closed: list[str] = []
    body = stand_in(Body(), __iter__=lambda: iter([b"x"]), close=lambda: closed.append("closed"))
    assert (len(body), body[1], list(body)) == (2, b"b", [b"x"])
    body.close()
    assert closed == ["closed"]
