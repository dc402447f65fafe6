"""Frameworks: where no server that the spy knows has begun an activity, the application does.

So a request has its context on any server: granian, daphne, cheroot, gevent.pywsgi, uWSGI.
"""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import asgi, wsgi
from nomock_spy.standins import replace

_APPLICATIONS = {
    "bottle": ("bottle", "Bottle", wsgi.method),
    "django.core.handlers.asgi": ("django", "ASGIHandler", asgi.method),
    "django.core.handlers.wsgi": ("django", "WSGIHandler", wsgi.method),
    "flask.app": ("flask", "Flask", wsgi.method),
    "litestar.app": ("litestar", "Litestar", asgi.method),
    "quart.app": ("quart", "Quart", asgi.method),
    "starlette.applications": ("starlette", "Starlette", asgi.method),
}
"""The framework, the class of its applications and what these speak, by module."""


def install(module: Any) -> None:
    """Let each application of a framework begin what no server has begun."""
    framework, kind, method = _APPLICATIONS[module.__name__]
    replace(getattr(module, kind), "__call__", lambda call: method(framework, call))
