"""Celery: its signals tell of each task that is published, begins and ends.

https://docs.celeryq.dev/en/stable/userguide/signals.html
"""

from __future__ import annotations

from typing import Any

from nomock_spy.activities import found_server
from nomock_spy.queues import KEY, begin, complete, end


def install(module: Any) -> None:
    """Connect to the signals of celery.signals; they are let go of only where told so."""
    for signal, receiver in (
        (module.before_task_publish, _publishes),
        (module.worker_init, _works),
        (module.task_prerun, _begins),
        (module.task_postrun, _ends),
    ):
        signal.connect(receiver, weak=False)


def _publishes(headers: Any = None, **_: Any) -> None:
    if headers is not None:
        complete(headers)


def _works(**_: Any) -> None:
    found_server("celery")


def _begins(task: Any = None, **_: Any) -> None:
    # What is in a message's headers are attributes here. A task that is called at once, in the
    # middle of a request, has come with no message, and belongs to the request.
    request = getattr(task, "request", None)
    if request is not None and not getattr(request, "is_eager", False):
        begin(getattr(request, KEY, None) or "")


def _ends(task: Any = None, **_: Any) -> None:
    if not getattr(getattr(task, "request", None), "is_eager", False):
        end()
