"""A consumer of a queue, which does each job for the test that ordered it."""

import sys


def handle_a() -> None:
    sys.getrefcount(1)  # in: a


def handle_b() -> None:
    sys.getrefcount(2)  # in: b


def consume() -> None:
    for job in ("a", "b"):
        sys.audit("nomock.context", f"nomock.test=tests%2Ftest_jobs.py%3A%3Atest_{job}")
        if job == "a":
            handle_a()  # in: a
        if job == "b":
            handle_b()  # in: b
        sys.audit("nomock.context", "")
        print(job)  # in:


consume()
