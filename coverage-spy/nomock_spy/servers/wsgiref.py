"""The standard library's server, on which Django's ``runserver`` is built."""

from __future__ import annotations

from typing import Any

from nomock_spy.servers import wrap_what_is_loaded
from nomock_spy.servers.wsgi import wrap


def install(module: Any) -> None:
    """Wrap what wsgiref.simple_server.WSGIServer is given."""
    wrap_what_is_loaded("wsgiref", module.WSGIServer, "set_app", "application", wrap)
