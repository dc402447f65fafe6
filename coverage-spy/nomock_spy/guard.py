"""What keeps the spy from breaking the service: whose exception it is, and how to speak of it."""

from __future__ import annotations

import os
import sys

# No pathlib in the spy: it is slow to load, and each process of the service would pay.
_HERE = os.path.dirname(os.path.abspath(__file__)) + "/"  # noqa: PTH100, PTH120
HOME = os.path.dirname(_HERE.rstrip("/"))  # noqa: PTH120
"""The folder that has to be on PYTHONPATH."""
_MOST_SAID = 10
_said: set[str] = set()


def swallow(error: BaseException) -> None:
    """Say once what the spy raised, and let go on what the service raised.

    Called by every piece of the spy that the service's own code runs through.
    """
    if not _is_ours(error):
        raise error
    if repr(error) not in _said and len(_said) < _MOST_SAID:
        _said.add(repr(error))
        say(f"lost something that ran: {error!r}")


def _is_ours(error: BaseException) -> bool:
    """Tell whether an exception that came up in the spy was raised by the spy.

    A signal handler of the service may run while code of ours does, and what it raises
    (``sys.exit()`` on SIGTERM) passes through our frames: that is the service's and has to go on.
    It is known by its innermost frame, which is not in our files. KeyboardInterrupt is raised by
    a handler in C, which has no frame, and never by us.
    """
    if isinstance(error, KeyboardInterrupt):
        return False
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and is_spys(traceback.tb_frame.f_code.co_filename)


def is_spys(filename: str) -> bool:
    """Tell whether the file name of a code object is one of the spy's."""
    return filename.startswith(_HERE)


def say(message: str) -> None:
    """Write one line to the service's stderr, if it has one and it takes it."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"nomock-spy: {message}\n")
            sys.stderr.flush()
    except Exception:
        pass
