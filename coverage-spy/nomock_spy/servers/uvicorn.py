"""Uvicorn, also as a worker of gunicorn: its configuration loads the application."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrapped
from nomock_spy.servers.asgi import wrap


def install(module: Any) -> None:
    """Wrap what uvicorn.config.Config loads."""
    load = module.Config.load

    def load_and_wrap(self: Any) -> None:
        load(self)
        self.loaded_app = wrapped("uvicorn", wrap, self.loaded_app)

    module.Config.load = load_and_wrap
