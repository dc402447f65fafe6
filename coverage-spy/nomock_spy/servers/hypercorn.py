"""Hypercorn: it has a wrapper of its own for each kind of application."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import asgi, wrap_argument, wsgi


def install(module: Any) -> None:
    """Wrap what hypercorn.app_wrappers.ASGIWrapper and WSGIWrapper are given."""
    wrap_argument("hypercorn", module.ASGIWrapper, "app", asgi.wrap)
    wrap_argument("hypercorn", module.WSGIWrapper, "app", wsgi.wrap)
