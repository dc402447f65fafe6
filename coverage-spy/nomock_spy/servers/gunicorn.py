"""Gunicorn: each worker loads the application, which is WSGI or what its class of worker wants."""

from __future__ import annotations

from inspect import signature
from typing import Any

from nomock_spy.servers import wrap_what_is_loaded, wsgi


def install(module: Any) -> None:
    """Wrap what gunicorn.workers.base.Worker loads, where it is WSGI.

    Other workers run other servers, which are known by themselves: uvicorn, aiohttp.web. Theirs
    are applications of their own kind, or functions that make one.
    """
    wrap_what_is_loaded("gunicorn", module.Worker, "load_wsgi", "wsgi", _wrap)


def _wrap(app: Any) -> Any:
    try:
        signature(app).bind(None, None)
    except (TypeError, ValueError):
        return app
    return wsgi.wrap(app)
