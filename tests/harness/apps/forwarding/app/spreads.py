"""Work that spreads from where it begins, each kind for a test of its own: ``<kind>``.

A line that ends with a comment ``for: <test>`` is to be recorded for that test alone.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

of_the_service = ContextVar("of_the_service", default="its own")


@contextmanager
def test(name: str) -> Iterator[None]:
    sys.audit("nomock.context", f"nomock.test=tests%2Ftest_spread.py%3A%3A{name}")
    of_the_service.set(name)
    try:
        yield
    finally:
        of_the_service.set("its own")
        sys.audit("nomock.context", "")


def background() -> None:
    nothing = None  # for: no test
    del nothing


class Threads:
    @staticmethod
    def target() -> None:
        seen = of_the_service.get()  # for: thread
        print("a thread sees", seen)

    class Overrides(threading.Thread):
        def run(self) -> None:
            self.done = True  # for: subclass

    class Refuses(threading.Thread):
        """One that lets nobody change how it runs."""

        def __setattr__(self, name: str, value: object) -> None:
            assert name != "run"
            super().__setattr__(name, value)

        def run(self) -> None:
            self.done = True  # for: refuses

    @staticmethod
    def later() -> None:
        nothing = None  # for: timer
        del nothing

    @staticmethod
    def nested() -> None:
        def inner() -> None:
            nothing = None  # for: nested
            del nothing

        run(threading.Thread(target=inner))

    @staticmethod
    def raises() -> None:
        raise LookupError  # for: raises


def run(thread: threading.Thread) -> None:
    thread.start()
    thread.join()


def threads() -> None:
    with test("thread"):
        run(threading.Thread(target=Threads.target))
    with test("subclass"):
        run(Threads.Overrides())
    with test("refuses"):
        run(Threads.Refuses())
    with test("timer"):
        run(threading.Timer(0, Threads.later))
    with test("nested"):
        run(threading.Thread(target=Threads.nested))
    uncaught = []
    threading.excepthook = lambda args: uncaught.append(args.exc_type)
    with test("raises"):
        run(threading.Thread(target=Threads.raises))
    assert uncaught == [LookupError]
    run(threading.Thread(target=background))


def started_twice() -> None:
    """A thread that cannot be started a second time is as it was."""

    def once() -> None:
        go_on.wait()
        nothing = None  # for: started
        del nothing

    go_on = threading.Event()
    thread = threading.Thread(target=once)
    with test("started"):
        thread.start()
    with test("again"):
        try:
            thread.start()
        except RuntimeError:
            go_on.set()
        thread.join()
    assert "run" not in vars(thread)


def with_a_context() -> None:
    """A context that the service gives to a thread (Python 3.14) stays as it is."""
    if sys.version_info < (3, 14):
        return

    def target() -> None:
        nothing = None  # for: context
        del nothing

    given = copy_context()
    before = dict(given)
    with test("context"):
        run(threading.Thread(target=target, context=given))
    assert {variable: given[variable] for variable in before} == before
    assert given.run(of_the_service.get) == "its own"


def first() -> str:
    return of_the_service.get()  # for: submitted


def second(number: int) -> int:
    return number  # for: mapped


def third() -> None:
    raise LookupError  # for: failed


def fourth() -> None:
    nothing = None  # for: in_executor
    del nothing


def fifth() -> str:
    return of_the_service.get()  # for: to_thread


def prepare_worker() -> None:
    nothing = None  # for: no test
    del nothing


def pools() -> None:
    """One thread does the work of all the tests, and of none."""
    with ThreadPoolExecutor(1, initializer=prepare_worker) as pool:
        with test("submitted"):
            print("submitted work sees", pool.submit(first).result())
        pool.submit(background).result()
        with test("mapped"):
            assert list(pool.map(second, [1, 2])) == [1, 2]
        with test("failed"):
            assert isinstance(pool.submit(third).exception(), LookupError)
        pool.submit(background).result()

        async def in_executor() -> None:
            with test("in_executor"):
                await asyncio.get_running_loop().run_in_executor(pool, fourth)
            with test("to_thread"):
                print("to_thread sees", await asyncio.to_thread(fifth))
            await asyncio.to_thread(background)

        asyncio.run(in_executor())


def long_lived() -> Callable[[Callable[[], None]], None]:
    """Return how to give work to a thread that was started before any test."""
    go_on, done = threading.Semaphore(0), threading.Semaphore(0)
    work: list[Callable[[], None]] = []

    def serve() -> None:
        while go_on.acquire():
            work.pop()()
            done.release()

    threading.Thread(target=serve, daemon=True).start()

    def give(job: Callable[[], None]) -> None:
        work.append(job)
        go_on.release()
        done.acquire()

    return give


def tasks() -> None:
    """Tasks in flight at once, and one that is left when its test is over."""

    async def step(turn: asyncio.Event, next_turn: asyncio.Event) -> None:
        with test("task"):
            await turn.wait()
            nothing = None  # for: task
            next_turn.set()
        del nothing

    async def other(turn: asyncio.Event, next_turn: asyncio.Event) -> None:
        with test("other_task"):
            next_turn.set()
            await turn.wait()
            nothing = None  # for: other_task
        del nothing

    async def left(go_on: asyncio.Event) -> None:
        await go_on.wait()
        nothing = None  # for: leaves_a_task
        del nothing

    async def all_of_them() -> None:
        one, two, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        await asyncio.gather(step(one, two), other(two, one))
        with test("leaves_a_task"):
            rest = asyncio.create_task(left(go_on))
        with test("after_it"):
            go_on.set()
            await rest

    asyncio.run(all_of_them())


if __name__ == "__main__":
    give = long_lived()
    threads()
    started_twice()
    with_a_context()
    pools()
    tasks()
    with test("long_lived"):
        give(background)
