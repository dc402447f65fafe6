"""Werkzeug's development server: ``flask run``."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrap_argument
from nomock_spy.servers.wsgi import wrap


def install(module: Any) -> None:
    """Wrap what werkzeug.serving.BaseWSGIServer is given."""
    wrap_argument("werkzeug", module.BaseWSGIServer, "app", wrap)
