"""The spy's half of mutants: functions of a process do what the mutant of a request does."""

from __future__ import annotations

import asyncio
import builtins
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from serving import SPY

from nomock.mutation import Mutant, mutants_of
from nomock.mutation.functions import told_of
from nomock.mutation.live.folder import MutantsFolder

sys.path.append(str(SPY))

from nomock_spy import activities
from nomock_spy.baggage import Origin
from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.mutants import Mutants
from nomock_spy.mutants.choosing import CHOOSE
from nomock_spy.mutants.told import Told

APP = '''\
"""An app."""
import functools
import contextlib

count = 0


def logged(function):
    @functools.wraps(function)
    def call(*arguments):
        return function(*arguments) + 0

    return call


def plain(a, b):
    """Compare."""
    return a < b


@logged
def decorated(a):
    return a - 1


def counts(by):
    global count
    count = count + by
    return count


def adder(start):
    total = start

    def add(more):
        nonlocal total
        total = total + more
        return total

    return add


class Base:
    def __secret(self):
        return 1

    def value(self):
        return self.__secret()


class Shop(Base):
    def value(self):
        return super().value() + 1

    @staticmethod
    def rate(percent):
        return percent * 2

    @property
    def name(self):
        return "shop" if self.value() > 1 else "none"

    class Till:
        def coins(self, of):
            return [coin + 1 for coin in of]


def numbers(until):
    for number in range(until):
        yield number + 1


async def later(a):
    await nothing()
    return a + 1


async def nothing():
    pass


async def each(until):
    for number in range(until):
        yield number + 1


@contextlib.contextmanager
def opened(a):
    yield a + 1


def ten(a): return a + 10
'''


class Process:
    """This process with an app that runs, and all its mutants told."""

    def __init__(self, folder: Path, source: str = APP) -> None:
        path = folder / "app.py"
        path.write_text(source, encoding="utf-8")
        self.mutants = mutants_of("app.py", source)
        self.told = told_of("app.py", source.encode(), source, self.mutants, 1)
        self.folder = MutantsFolder(folder, "run")
        self.folder.write([self.told], limit_s=1.0)
        self.app = self._imported(path)
        self.spy = Mutants(Told(str(folder / "mutants.run")))

    @staticmethod
    def _imported(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location("mutated_app", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def mutant(self, qualname: str, original: str, replacement: str) -> Mutant:
        (found,) = (
            mutant
            for mutant in self.mutants
            if (mutant.qualname, mutant.original, mutant.replacement)
            == (qualname, original, replacement)
        )
        return found

    @contextmanager
    def on(self, *mutants: Mutant, for_s: float = 60) -> Iterator[None]:
        """Run a block as a request does that names some mutants."""
        named = "-".join(mutant.id for mutant in mutants)
        named = f"{named}.{time.time() + for_s:.0f}"
        context = Context(Origin("tests/test_a.py::test", "", "", named))
        self.spy.switch_on(context)
        before = current.set(context)
        try:
            yield
        finally:
            current.reset(before)


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    process = Process(tmp_path)
    monkeypatch.setattr(builtins, CHOOSE, process.spy.is_on, raising=False)
    return process


async def _collected(each: Any) -> list[Any]:
    return [one async for one in each]


def _entered(manager: Any) -> Any:
    with manager as value:
        return value


CASES: dict[str, tuple[tuple[str, str, str], Callable[[Any], object], object, object]] = {
    "function": (("plain", "<", "<="), lambda app: app.plain(1, 1), False, True),
    "decorated": (("decorated", "-", "+"), lambda app: app.decorated(1), 0, 2),
    "decorator's": (("logged.call", "+", "-"), lambda app: app.decorated(1), 0, 0),
    "global": (("counts", "+", "-"), lambda app: (app.counts(2), app.counts(-2))[0], 2, -2),
    "closure": (("adder.add", "+", "-"), lambda app: app.adder(1)(1), 2, 0),
    "method with super": (("Shop.value", "+", "-"), lambda app: app.Shop().value(), 2, 0),
    "static method": (("Shop.rate", "*", "/"), lambda app: app.Shop.rate(2), 4, 1),
    "property": (("Shop.name", ">", "<="), lambda app: app.Shop().name, "shop", "none"),
    "class in a class": (
        ("Shop.Till.coins", "+", "-"),
        lambda app: app.Shop.Till().coins([1]),
        [2],
        [0],
    ),
    "generator": (("numbers", "+", "-"), lambda app: list(app.numbers(2)), [1, 2], [-1, 0]),
    "coroutine": (("later", "+", "-"), lambda app: asyncio.run(app.later(1)), 2, 0),
    "asynchronous generator": (
        ("each", "+", "-"),
        lambda app: asyncio.run(_collected(app.each(2))),
        [1, 2],
        [-1, 0],
    ),
    "context manager": (("opened", "+", "-"), lambda app: _entered(app.opened(1)), 2, 0),
    "on one line": (("ten", "+", "-"), lambda app: app.ten(1), 11, -9),
}


@pytest.mark.parametrize("case", CASES)
def test_function_should_do_what_its_mutant_does_when_a_request_names_it(
    process: Process, case: str
) -> None:
    which, call, usual, mutated = CASES[case]
    mutant = process.mutant(*which)
    assert call(process.app) == usual
    with process.on(mutant):
        assert call(process.app) == mutated
    assert call(process.app) == usual
    assert process.folder.ran(mutant.id)


def test_private_name_should_be_that_of_its_class_when_a_method_has_mutants(
    process: Process,
) -> None:
    mutants = [m for m in process.mutants if m.qualname == "Base.value"]
    assert mutants
    with process.on(mutants[0]):
        process.app.Base().value()
    assert process.app.Shop().value() == 2


def test_closure_should_have_mutants_when_it_was_made_before_any_was_named(
    process: Process,
) -> None:
    add = process.app.adder(1)
    with process.on(process.mutant("adder.add", "+", "-")):
        assert add(1) == 0
    assert add(5) == 5


def test_every_mutant_of_a_function_should_be_switched_when_its_module_is(
    process: Process,
) -> None:
    in_functions = {mutant.id for mutant in process.mutants if mutant.qualname}
    assert set(process.told.numbers) == in_functions
    with process.on(process.mutant("plain", "<", "<=")):
        pass
    for number in process.told.numbers.values():
        assert process.folder.not_switched(number) == ""


def test_each_request_should_have_its_own_mutant_when_several_are_in_flight(
    process: Process,
) -> None:
    plus, less = process.mutant("later", "+", "-"), process.mutant("plain", "<", "<=")

    async def request(mutant: Mutant) -> tuple[int, bool]:
        with process.on(mutant):
            await asyncio.sleep(0)
            return await process.app.later(1), process.app.plain(1, 1)

    async def both() -> list[tuple[int, bool]]:
        return await asyncio.gather(request(plus), request(less))

    assert asyncio.run(both()) == [(0, False), (2, True)]


def test_request_should_have_all_its_mutants_when_it_names_several(process: Process) -> None:
    plus, less = process.mutant("later", "+", "-"), process.mutant("plain", "<", "<=")
    with process.on(plus, less):
        assert (asyncio.run(process.app.later(1)), process.app.plain(1, 1)) == (0, True)
        assert process.app.ten(1) == 11
    assert process.folder.ran(plus.id) and process.folder.ran(less.id)


def test_request_should_find_the_code_as_it_is_when_the_time_of_its_mutant_is_over(
    process: Process,
) -> None:
    with process.on(process.mutant("plain", "<", "<="), for_s=-5):
        assert not process.app.plain(1, 1)


def test_request_should_find_the_code_as_it_is_when_its_mutant_is_unknown(
    process: Process,
) -> None:
    context = Context(Origin("tests/test_a.py::test", "", "", "0123456789.9999999999"))
    process.spy.switch_on(context)
    assert context.mutants == ()


def test_request_should_find_the_code_as_it_is_when_the_run_has_no_mutants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(activities, "_switch_on", None)
    context = activities._context_of(Origin("tests/test_a.py::no_mutants", "", "", "0123456789"))
    assert context.mutants == ()
    assert current.get() is BACKGROUND


def test_mutant_should_be_ended_when_it_hangs(tmp_path: Path, monkeypatch: Any) -> None:
    source = "def wait(n):\n    while n > 0:\n        n = n - 1\n    return n\n"
    process = Process(tmp_path, source)
    monkeypatch.setattr(builtins, CHOOSE, process.spy.is_on, raising=False)
    from nomock_spy.mutants.watching import MutantHangsError

    mutant = process.mutant("wait", "-", "+")
    with process.on(mutant), pytest.raises(MutantHangsError):
        process.app.wait(1)
    assert process.folder.hung(mutant.id)
    assert process.app.wait(1) == 0
