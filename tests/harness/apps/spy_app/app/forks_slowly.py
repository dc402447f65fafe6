"""A process that Python is not told of, where it takes the machine long to open a file."""

import ctypes
import os
import sys

_open = os.open
_now = 1e9


def slow_open(*arguments, **named):
    global _now
    _now += 1
    return _open(*arguments, **named)


def in_child() -> None:
    os.getpid()  # child


def in_parent() -> None:
    os.getpid()  # parent


os.open = slow_open
# The clock of the core that looks for news at audit events, none too often.
if tracing := sys.modules.get("nomock_spy.cores.ctracer"):
    tracing.monotonic = lambda: _now
if (child := ctypes.PyDLL(None).fork()) == 0:
    in_child()
    sys.audit("nomock.context", "nomock.test=tests%2Ftest_a.py%3A%3Atest_b")
    sys.audit("nomock.context", "")
    os._exit(0)
os.waitpid(child, 0)
in_parent()
