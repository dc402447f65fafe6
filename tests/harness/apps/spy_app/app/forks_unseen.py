"""A process that a library in C forks, as uWSGI does: Python is not told."""

import ctypes
import os
import sys


def in_child() -> None:
    os.getpid()  # child


def in_parent() -> None:
    os.getpid()  # parent


def job() -> None:
    os.getpid()  # child


if (child := ctypes.PyDLL(None).fork()) == 0:
    in_child()
    sys.audit("nomock.context", "nomock.test=tests%2Ftest_a.py%3A%3Atest_b")
    job()
    sys.audit("nomock.context", "")
    os._exit(0)
os.waitpid(child, 0)
in_parent()
