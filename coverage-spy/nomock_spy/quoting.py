"""Strings as JSON has them."""

from __future__ import annotations

from nomock_spy.hints import Callable

__all__ = ["quote"]

quote: Callable[[str], str]
try:  # json takes milliseconds to load; this is its part in C that quotes a string
    from _json import encode_basestring_ascii as quote
except ImportError:
    from json.encoder import py_encode_basestring_ascii as quote
