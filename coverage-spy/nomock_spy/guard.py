"""What keeps the spy from breaking the service: whose exception it is, and how to speak of it."""

from __future__ import annotations

import os
import sys

from nomock_spy.hints import Callable

# No pathlib in the spy: it is slow to load, and each process of the service would pay.
HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
"""The folder that has to be on PYTHONPATH."""
STANDARD_LIBRARY = os.path.dirname(os.__file__) + "/"  # noqa: PTH120
"""Not from sysconfig, which takes milliseconds to load."""
_MOST_SAID = 10
_said: dict[str, str] = {}


def _nowhere(what: str) -> None:
    """Record nothing: there is no file yet."""


_record: Callable[[str], None] = _nowhere


def report_to(record: Callable[[str], None]) -> None:
    """Have recorded, too, what the spy loses, and has lost so far."""
    global _record
    _record = record
    for what in tuple(_said.values()):
        record(what)


def swallow(error: BaseException, lost: str = "something that ran") -> None:
    """Say once what the spy raised, and let go on what the service raised.

    Called by every piece of the spy that the service's own code runs through. ``lost`` is what
    may be missing by it.
    """
    if not _is_ours(error):
        raise error
    lose(f"lost {lost}: {error!r}", repr(error))


def lose(what: str, why: str = "") -> None:
    """Tell the harvest that something is lost, and say it on stderr, once for each reason."""
    if (why or what) not in _said and len(_said) < _MOST_SAID:
        _said[why or what] = what
        say(what)
    try:
        _record(what)
    except BaseException as error:
        if not _is_ours(error):
            raise


def _is_ours(error: BaseException) -> bool:
    """Tell whether an exception that came up in the spy was raised by the spy.

    A signal handler of the service may run while code of ours does, and what it raises
    (``sys.exit()`` on SIGTERM) passes through our frames: that is the service's and has to go on.
    It is known by a frame that is neither in our files nor in Python's own, which we call.
    KeyboardInterrupt is raised by a handler in C, which has no frame, and never by us.
    """
    if isinstance(error, KeyboardInterrupt):
        return False
    traceback = error.__traceback__
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if not is_spys(filename) and not is_pythons(filename):
            return False
        traceback = traceback.tb_next
    return error.__traceback__ is not None


def is_spys(filename: str) -> bool:
    """Tell whether the file name of a code object is one of the spy's."""
    return filename.startswith(HOME + "/")


def is_pythons(filename: str) -> bool:
    """Tell whether the file name of a code object is one of the standard library's."""
    if filename.startswith("<frozen "):
        return True
    return filename.startswith(STANDARD_LIBRARY) and "-packages/" not in filename


def say(message: str) -> None:
    """Write one line to the service's stderr, if it has one and it takes it."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"nomock-spy: {message}\n")
            sys.stderr.flush()
    except Exception:
        pass
