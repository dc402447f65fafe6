"""Waitress."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrapped
from nomock_spy.servers.wsgi import wrap


def install(module: Any) -> None:
    """Wrap what waitress.server.BaseWSGIServer is given."""
    initialize = module.BaseWSGIServer.__init__

    def initialize_with_wrapped(self: Any, application: Any, *arguments: Any, **named: Any) -> None:
        initialize(self, wrapped("waitress", wrap, application), *arguments, **named)

    module.BaseWSGIServer.__init__ = initialize_with_wrapped
