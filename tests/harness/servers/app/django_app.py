"""The application of Django, for both kinds of servers.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
from collections.abc import Iterator

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from steps import STEPS


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


urlpatterns = [path(view.__name__, view) for view in (stream, middle, raises, hangs)]
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)
asgi, wsgi = get_asgi_application(), get_wsgi_application()
