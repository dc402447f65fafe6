"""Whose something is that stands beside a service: a process, told by its machine and number."""

from __future__ import annotations

import os
from socket import gethostname

from nomock.filelock import lives


def this_process() -> str:
    """Return what this process is told by."""
    return f"{gethostname()}:{os.getpid()}"


def has_ended(owner: str) -> bool:
    """Tell whether a process has ended; of another machine's that is not known."""
    machine, _, number = owner.rpartition(":")
    return machine == gethostname() and not lives(int(number))
