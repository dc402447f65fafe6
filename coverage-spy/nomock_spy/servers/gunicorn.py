"""Gunicorn: each worker loads the application, which is WSGI or what its class of worker wants."""

from __future__ import annotations

from inspect import iscoroutinefunction, isfunction, ismethod
from typing import Any

from nomock_spy.servers import asgi, wrapped, wsgi


def install(module: Any) -> None:
    """Wrap what gunicorn.workers.base.Worker loads."""
    load_wsgi = module.Worker.load_wsgi

    def load_and_wrap(self: Any) -> None:
        load_wsgi(self)
        if getattr(self, "wsgi", None) is not None:
            self.wsgi = wrapped("gunicorn", _wrap, self.wsgi)

    module.Worker.load_wsgi = load_and_wrap


def _wrap(app: Any) -> Any:
    call = app if isfunction(app) or ismethod(app) else type(app).__call__
    return asgi.wrap(app) if iscoroutinefunction(call) else wsgi.wrap(app)
