"""Reads by the objects of libraries: environs, django-environ, python-decouple, Starlette.

https://github.com/sloria/environs, https://django-environ.readthedocs.io/,
https://github.com/HBNetwork/python-decouple, https://www.starlette.io/config/
"""

from __future__ import annotations

from collections.abc import Iterator

from nomock.contracts.reads.kinds import BY_CAST, FLAG, TEXT
from nomock.contracts.reads.lookup import Reader
from nomock.contracts.reads.model import Module, RawCall, Read

_NO_READS = {"read_env", "read_envfile", "seal", "prefixed", "parser_for", "add_parser", "dump"}
# What django-environ reads where a method is given no name.
_BY_METHOD = {
    "db": "DATABASE_URL",
    "db_url": "DATABASE_URL",
    "cache": "CACHE_URL",
    "cache_url": "CACHE_URL",
    "email": "EMAIL_URL",
    "email_url": "EMAIL_URL",
    "search_url": "SEARCH_URL",
}


def read_by_library(module: Module, call: RawCall, reader: Reader) -> Iterator[Read]:
    """Yield the read of a call of a library's reader; nothing where the call reads nothing."""
    method = reader.method
    if method in _NO_READS or "." in method:
        return
    name = call.positional[0].name.literal if call.positional else _BY_METHOD.get(method)
    if not name:
        return
    has_default = "default" in call.keywords or len(call.positional) > 1
    kind = BY_CAST.get(call.cast or method, TEXT)
    if call.cast == "bool" and reader.style == "config":
        kind = FLAG
    yield Read(name, str(module.path), call.line, is_required=not has_default, kind=kind)
