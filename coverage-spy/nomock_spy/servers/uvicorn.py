"""Uvicorn, also as a worker of gunicorn: its configuration loads the application."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrap_what_is_loaded
from nomock_spy.servers.asgi import wrap


def install(module: Any) -> None:
    """Wrap what uvicorn.config.Config loads."""
    wrap_what_is_loaded("uvicorn", module.Config, "load", "loaded_app", wrap)
