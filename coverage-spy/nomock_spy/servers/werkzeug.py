"""Werkzeug's development server: ``flask run``."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrapped
from nomock_spy.servers.wsgi import wrap


def install(module: Any) -> None:
    """Wrap what werkzeug.serving.BaseWSGIServer is given."""
    initialize = module.BaseWSGIServer.__init__

    def initialize_with_wrapped(
        self: Any, host: Any, port: Any, app: Any, *arguments: Any, **named: Any
    ) -> None:
        initialize(self, host, port, wrapped("werkzeug", wrap, app), *arguments, **named)

    module.BaseWSGIServer.__init__ = initialize_with_wrapped
