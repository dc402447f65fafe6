"""The application of Django, for both kinds of servers.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio
import threading
import time
from collections.abc import Iterator

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from steps import STEPS

meetings: dict[str, threading.Barrier | asyncio.Barrier] = {}


def steps(request: HttpRequest, meeting: str, parties: int, rounds: int, parts: str):
    everybody = meetings.setdefault(meeting, threading.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            time.sleep(0)  # in: steps
    return HttpResponse(total)  # in: steps


async def steps_async(request: HttpRequest, meeting: str, parties: int, rounds: int, parts: str):
    everybody = meetings.setdefault(meeting, asyncio.Barrier(parties))  # in: steps_async
    total = 0  # in: steps_async
    for part in parts.split("!"):  # in: steps_async
        await everybody.wait()  # in: steps_async
        for number in part.split(".") * rounds:  # in: steps_async
            total |= STEPS[int(number)]()  # in: steps_async
            await asyncio.sleep(0)  # in: steps_async
    return HttpResponse(total)  # in: steps_async


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:  # in: stream
        yield "one,"  # in: stream
        yield "two,"  # in: stream
        yield str(STEPS[20]())  # in: stream

    return StreamingHttpResponse(parts())  # in: stream


def middle(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(STEPS[21]()))  # in: middle


def raises(request: HttpRequest) -> HttpResponse:
    raise LookupError(STEPS[22]())  # in: raises


def hangs(request: HttpRequest) -> HttpResponse:
    def close() -> None:  # in: hangs
        threading.Event().wait()  # in: hangs later

    response = HttpResponse(str(STEPS[23]()))  # in: hangs
    response._resource_closers.append(close)  # in: hangs
    return response  # in: hangs


words = "<meeting>/<int:parties>/<int:rounds>/<parts>"
urlpatterns = [path(view.__name__, view) for view in (stream, middle, raises, hangs)]
urlpatterns += [path(f"{view.__name__}/{words}", view) for view in (steps, steps_async)]
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)
asgi, wsgi = get_asgi_application(), get_wsgi_application()
