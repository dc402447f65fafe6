"""Gunicorn's own ASGI worker, which came with gunicorn 24."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrap_what_is_loaded
from nomock_spy.servers.asgi import wrap


def install(module: Any) -> None:
    """Wrap what gunicorn.workers.gasgi.ASGIWorker loads."""
    wrap_what_is_loaded("gunicorn", module.ASGIWorker, "load_wsgi", "asgi", wrap)
