"""Work that spreads over gevent's greenlets, as in spreads.py; with its monkey patches or without.

A line that ends with a comment ``for: <test>`` is to be recorded for that test alone.
"""

from __future__ import annotations

import sys

if "monkey" in sys.argv:
    from gevent import monkey

    monkey.patch_all()

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import gevent
from gevent.pool import Pool
from spreads import background, of_the_service, run, test


def spawned() -> str:
    return of_the_service.get()  # for: spawned


def pooled(number: int) -> int:
    return number  # for: pooled


def with_a_context() -> None:
    nothing = None  # for: context
    del nothing


class Overrides(gevent.Greenlet):
    def _run(self) -> None:
        self.done = True  # for: subclass


def threaded() -> None:
    nothing = None  # for: thread
    del nothing


def submitted() -> None:
    nothing = None  # for: submitted
    del nothing


def in_turns() -> None:
    """Two greenlets in flight at once."""

    def one() -> None:
        gevent.sleep(0)
        nothing = None  # for: one
        del nothing

    def other() -> None:
        gevent.sleep(0)
        nothing = None  # for: other
        del nothing

    with test("one"):
        first = gevent.spawn(one)
    with test("other"):
        second = gevent.spawn(other)
    gevent.joinall([first, second], raise_error=True)


def main() -> None:
    with test("spawned"):
        print("a greenlet sees", gevent.spawn(spawned).get())
    with test("pooled"):
        assert Pool(2).map(pooled, [1, 2]) == [1, 2]
    with test("subclass"):
        greenlet = Overrides()
        greenlet.start()
        greenlet.join()
    with test("context"):
        greenlet = gevent.Greenlet(with_a_context)
        greenlet.gr_context = copy_context()
    with test("another"):
        greenlet.start()
        greenlet.join()
    gevent.spawn(background).join()
    with test("thread"):
        run(threading.Thread(target=threaded))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(background).result()
        with test("submitted"):
            pool.submit(submitted).result()
        pool.submit(background).result()
    in_turns()


main()
