"""Waitress."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrap_argument
from nomock_spy.servers.wsgi import wrap


def install(module: Any) -> None:
    """Wrap what waitress.server.BaseWSGIServer is given."""
    wrap_argument("waitress", module.BaseWSGIServer, "application", wrap)
