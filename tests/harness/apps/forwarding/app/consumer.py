"""Does the jobs that it is sent, one a line of its input, in the two-line way.

A line that ends with a comment ``for: <test>`` is to be recorded for that test alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from urllib.parse import quote


def baggage(test: str) -> str:
    return "nomock.test=" + quote(f"tests/test_jobs.py::{test}", safe="")


def works() -> None:
    nothing = None  # for: works
    del nothing


def raises() -> None:
    raise LookupError  # for: raises


def no_test() -> None:
    nothing = None  # for: no test
    del nothing


def begins_another() -> None:
    before = None  # for: begins_another
    sys.audit("nomock.context", baggage("the_other"))
    inside = None  # for: the_other
    sys.audit("nomock.context", "")
    after = None  # for: no test
    del before, inside, after


def has_threads() -> None:
    """Each of two threads does a job; both are in the middle of it at the same time."""
    together = threading.Barrier(2)

    def first() -> None:
        together.wait()
        nothing = None  # for: in_a_thread
        del nothing

    def second() -> None:
        together.wait()
        nothing = None  # for: in_another_thread
        del nothing

    def job(test: str, work: Callable[[], None]) -> None:
        sys.audit("nomock.context", baggage(test))
        work()
        sys.audit("nomock.context", "")
        no_test()

    jobs = {"in_a_thread": first, "in_another_thread": second}
    threads = [threading.Thread(target=job, args=one) for one in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def has_tasks() -> None:
    """Each of two tasks does a job; both are in the middle of it at the same time."""
    asyncio.run(_tasks())


async def _tasks() -> None:
    turns = [asyncio.Event(), asyncio.Event()]

    async def first() -> None:
        sys.audit("nomock.context", baggage("in_a_task"))
        turns[0].set()
        await turns[1].wait()
        nothing = None  # for: in_a_task
        sys.audit("nomock.context", "")
        no_test()
        del nothing

    async def second() -> None:
        sys.audit("nomock.context", baggage("in_another_task"))
        turns[1].set()
        await turns[0].wait()
        nothing = None  # for: in_another_task
        sys.audit("nomock.context", "")
        no_test()
        del nothing

    await asyncio.gather(first(), second())


def is_killed() -> None:
    nothing = None  # for: is_killed
    print("in the middle", flush=True)
    sys.stdin.readline()
    del nothing  # for: nobody


KINDS = [works, raises, no_test, begins_another, has_threads, has_tasks, is_killed]

if __name__ == "__main__":
    for line in sys.stdin:
        job = json.loads(line)
        sys.audit("nomock.context", job["baggage"].encode() if job["bytes"] else job["baggage"])
        try:
            next(kind for kind in KINDS if kind.__name__ == job["kind"])()
        except LookupError:
            nothing = None  # for: raises
        sys.audit("nomock.context", "")
        no_test()
        print("done", flush=True)
