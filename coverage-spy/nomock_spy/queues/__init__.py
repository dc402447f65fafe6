"""Where each library of queues lets a job keep the baggage of its test; one file each."""

from __future__ import annotations

from typing import Any

from nomock_spy import jobs
from nomock_spy.clients import baggage_of_the_test
from nomock_spy.guard import swallow

KEY = "baggage"
"""What the baggage is called in a job's headers, as in those of a request."""


def complete(headers: Any) -> None:
    """Add the baggage of the test that queues a job to the job's headers, a dictionary."""
    try:
        existing = headers.get(KEY)
        baggage = baggage_of_the_test([existing] if isinstance(existing, str) else [])
        if baggage is not None:
            headers[KEY] = baggage
    except BaseException as error:
        swallow(error)


def begin(baggage: object) -> None:
    """Begin a job for the test that its baggage names."""
    try:
        jobs.take(baggage)
    except BaseException as error:
        swallow(error)


def end() -> None:
    """End the job that this thread or task has begun."""
    begin("")
