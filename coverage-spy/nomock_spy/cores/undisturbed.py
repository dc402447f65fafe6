"""Callbacks in which Python does nothing else: no collection of garbage, no signal handler.

While a callback of ``sys.monitoring`` runs, Python tells of nothing that runs in that thread. What
waits to be done (finalizers that the garbage collector is to call, handlers of signals) it does at
its next look for such, and it looks where a function begins, behind each call and where a loop goes
on. So what the app had left to do would nearly always be done in a callback, and its lines be lost.

A callback without calls, that does not look where it begins, leaves all that to the app. What has
to call something lets it be done before, with Python telling of it.
"""

from __future__ import annotations

import sys

from nomock_spy.hints import Any, TypeVar

_Function = TypeVar("_Function")

# The instruction that functions begin with, and what its argument is where Python does not look:
# that of ``yield from``, https://docs.python.org/3.13/library/dis.html#opcode-RESUME
_RESUME = (lambda: None).__code__.co_code[0]
_WITHOUT_A_LOOK = 2
_UNIT_BYTES = 2  # an operation and its argument


def undisturbed(function: _Function) -> _Function:
    """Have a function begin without a look for what waits to be done."""
    changed: Any = function
    code = changed.__code__
    text = bytearray(code.co_code)
    at = text[::_UNIT_BYTES].index(_RESUME) * _UNIT_BYTES
    text[at + 1] = _WITHOUT_A_LOOK
    changed.__code__ = code.replace(co_code=bytes(text))
    return function


@undisturbed
def do_what_waits() -> None:
    """Do in a callback what waits to be done, and have Python tell of it."""
    sys.call_tracing(_look, ())


def _look() -> None:
    """Begin, as that is where Python looks."""
