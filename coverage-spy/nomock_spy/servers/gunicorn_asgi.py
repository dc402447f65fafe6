"""Gunicorn's own ASGI worker, which came with gunicorn 24."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrapped
from nomock_spy.servers.asgi import wrap


def install(module: Any) -> None:
    """Wrap what gunicorn.workers.gasgi.ASGIWorker loads."""
    load_wsgi = module.ASGIWorker.load_wsgi

    def load_and_wrap(self: Any) -> None:
        load_wsgi(self)
        self.asgi = wrapped("gunicorn", wrap, self.asgi)

    module.ASGIWorker.load_wsgi = load_and_wrap
