"""The standard library's server, on which Django's ``runserver`` is built."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrapped
from nomock_spy.servers.wsgi import wrap


def install(module: Any) -> None:
    """Wrap what wsgiref.simple_server.WSGIServer is given."""
    set_app = module.WSGIServer.set_app

    def set_wrapped(self: Any, app: Any) -> None:
        set_app(self, wrapped("wsgiref", wrap, app))

    module.WSGIServer.set_app = set_wrapped
