"""Hypercorn: it has a wrapper of its own for each kind of application."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import asgi, wrapped, wsgi


def install(module: Any) -> None:
    """Wrap what hypercorn.app_wrappers.ASGIWrapper and WSGIWrapper are given."""
    _wrap_first_argument(module.ASGIWrapper, asgi.wrap)
    _wrap_first_argument(module.WSGIWrapper, wsgi.wrap)


def _wrap_first_argument(wrapper: Any, wrap: Any) -> None:
    initialize = wrapper.__init__

    def initialize_with_wrapped(self: Any, app: Any, *arguments: Any, **named: Any) -> None:
        initialize(self, wrapped("hypercorn", wrap, app), *arguments, **named)

    wrapper.__init__ = initialize_with_wrapped
