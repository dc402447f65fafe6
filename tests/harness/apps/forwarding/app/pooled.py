"""Tests that give work to pools and consumers, several at once, which the first of them made.

A line that ends with a comment ``step: <number>`` is that step. Prints which steps were taken for
which test, and which were taken for none.
"""

from __future__ import annotations

import importlib
import json
import logging
import logging.handlers
import multiprocessing
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.pool import Pool, ThreadPool
from random import Random

Jobs = queue.Queue[tuple[int, int, threading.Event]]

TESTS = 64
WORKERS = 2
STEPS: tuple[Callable[[], int], ...] = (
    lambda: 0,  # step: 0
    lambda: 1,  # step: 1
    lambda: 2,  # step: 2
    lambda: 3,  # step: 3
    lambda: 4,  # step: 4
    lambda: 5,  # step: 5
    lambda: 6,  # step: 6
    lambda: 7,  # step: 7
    lambda: 8,  # step: 8
    lambda: 9,  # step: 9
    lambda: 10,  # step: 10
    lambda: 11,  # step: 11
)


def step(number: int) -> int:
    return STEPS[number]()


@contextmanager
def test(name: str) -> Iterator[None]:
    baggage = f"nomock.test=tests%2Ftest_pools.py%3A%3A{name}" if name else ""
    sys.audit("nomock.context", baggage)
    try:
        yield
    finally:
        sys.audit("nomock.context", "")


def called_back() -> tuple[Callable[[object], None], threading.Event]:
    """Return a function to be called with a result, which takes the step that it is."""
    done = threading.Event()

    def call(result: object) -> None:
        step(result.result() if isinstance(result, Future) else result)
        done.set()

    return call, done


class Kinds:
    """Each does the first three steps that it is given and returns when they are taken."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.lock = threading.Lock()
        self.made: dict[str, object] = {}

    def _the(self, kind: str, make: Callable[[], object]) -> object:
        with self.lock:
            if kind not in self.made:
                self.made[kind] = make()
            return self.made[kind]

    def executor(self, steps: list[int]) -> None:
        pool = self._the("executor", self._executor)
        assert isinstance(pool, Executor)
        call, done = called_back()
        list(pool.map(step, steps[:2]))
        pool.submit(step, steps[2]).add_done_callback(call)
        done.wait()

    def _executor(self) -> Executor:
        if "loky" in self.method:
            loky: Executor = importlib.import_module(self.method).ProcessPoolExecutor(WORKERS)
            return loky
        return ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context(self.method))

    def pool(self, steps: list[int]) -> None:
        method = "spawn" if "loky" in self.method else self.method
        context = multiprocessing.get_context(method)
        # A process with threads that forks once more may hang, with the spy and without it.
        most = None if self.method == "fork" else 20
        self._tasks(self._the("pool", lambda: context.Pool(WORKERS, maxtasksperchild=most)), steps)

    def thread_pool(self, steps: list[int]) -> None:
        self._tasks(self._the("thread_pool", lambda: ThreadPool(WORKERS)), steps)

    def _tasks(self, pool: object, steps: list[int]) -> None:
        assert isinstance(pool, Pool)
        call, done = called_back()

        def items() -> Iterable[int]:
            yield step(steps[1])

        pool.apply_async(step, (steps[0],), callback=call)
        assert list(pool.imap_unordered(step, items())) == steps[1:2]
        # Python counts its workers for a chunk, which are none for a moment where both have ended.
        assert pool.map(step, steps[2:], chunksize=1) == steps[2:]
        done.wait()

    def consumer(self, steps: list[int]) -> None:
        self._consumed(queue.Queue, steps)

    def sorting(self, steps: list[int]) -> None:
        self._consumed(queue.PriorityQueue, steps)

    def _consumed(self, kind: type, steps: list[int]) -> None:
        jobs = self._the(kind.__name__, lambda: self._consumer(kind()))
        assert isinstance(jobs, queue.Queue)
        for number in steps:
            done = threading.Event()
            jobs.put((number, id(done), done))
            done.wait()

    def borrowing(self, steps: list[int]) -> None:
        """Take and return a thing from a pool, which the others do, too."""
        things = self._the("things", queue.LifoQueue)
        assert isinstance(things, queue.LifoQueue)
        try:
            thing = things.get_nowait()
        except queue.Empty:
            thing = object()
        for number in steps:
            step(number)
        things.put(thing)

    def _consumer(self, jobs: Jobs) -> Jobs:
        def consume() -> None:
            while True:
                number, _, done = jobs.get()
                self.borrowing([number])
                done.set()

        threading.Thread(target=consume, daemon=True).start()
        return jobs

    def listener(self, steps: list[int]) -> None:
        logger = self._the("listener", self._listener)
        assert isinstance(logger, logging.Logger)
        for number in steps:
            done = threading.Event()
            logger.info("a step", extra={"step": number, "done": done})
            done.wait()

    def _listener(self) -> logging.Logger:
        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                step(record.step)
                record.done.set()

        records: queue.Queue[logging.LogRecord] = queue.Queue()
        logger = logging.getLogger("steps")
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.handlers.QueueHandler(records))
        logging.handlers.QueueListener(records, Handler()).start()
        return logger

    def close(self) -> None:
        for made in self.made.values():
            if isinstance(made, Executor):
                made.shutdown()
            elif isinstance(made, Pool):
                made.close()
                made.join()


KINDS = ("executor", "pool", "thread_pool", "consumer", "sorting", "listener", "borrowing")


def main(method: str, in_flight: int) -> None:
    kinds = Kinds(method)
    taken: dict[str, list[int]] = {}

    def run(number: int, together: threading.Barrier) -> None:
        # Each eighth is no test.
        name = f"test_{number}" if number % 8 else ""
        together.wait()
        with test(name):
            for kind in Random(number).sample(KINDS, len(KINDS)):
                steps = Random(f"{number} {kind}").sample(range(len(STEPS)), 3)
                getattr(kinds, kind)(steps)
                taken.setdefault(name or "no test", []).extend(steps)
            together.wait()

    # A request served first makes all of them.
    run(1, threading.Barrier(1))
    with ThreadPoolExecutor(in_flight) as clients:
        for first in range(2, TESTS, in_flight):
            numbers = range(first, min(first + in_flight, TESTS))
            together = threading.Barrier(len(numbers))
            list(clients.map(run, numbers, [together] * len(numbers)))
    kinds.close()
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
