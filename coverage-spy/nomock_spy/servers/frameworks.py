"""Frameworks: where no server that the spy knows has begun an activity, the application does.

So a request has its context on any server: granian, daphne, cheroot, gevent.pywsgi, uWSGI.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from nomock_spy.standins import replace

_APPLICATIONS = {
    "bottle": ("bottle", "Bottle", "wsgi"),
    "django.core.handlers.asgi": ("django", "ASGIHandler", "asgi"),
    "django.core.handlers.wsgi": ("django", "WSGIHandler", "wsgi"),
    "flask.app": ("flask", "Flask", "wsgi"),
    "litestar.app": ("litestar", "Litestar", "asgi"),
    "quart.app": ("quart", "Quart", "asgi"),
    "starlette.applications": ("starlette", "Starlette", "asgi"),
}
"""The framework, the class of its applications and what these speak, by module."""


def install(module: Any) -> None:
    """Let each application of a framework begin what no server has begun."""
    framework, kind, protocol = _APPLICATIONS[module.__name__]
    # What speaks the other protocol would be compiled in vain.
    method = import_module(f"nomock_spy.servers.{protocol}").method
    replace(getattr(module, kind), "__call__", lambda call: method(framework, call))
