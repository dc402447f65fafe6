"""The program that halts or kills a container, and runs among its processes.

Its text is passed whole to the ``python3`` of the tools image: the standard library only. No
cluster freezes a container, and none kills one without a moment for a last word; the kernel does
both for whoever traces a process. https://man7.org/linux/man-pages/man2/ptrace.2.html

One word on its standard input is what to do; when that input ends, because whoever asked was
killed, all goes on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
DIES_WITH_US = 1 << 20
WAITS_FOR_ALL = 0x40000000

ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.restype = ctypes.c_long
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def threads() -> Iterator[int]:
    """Yield the threads of all other processes here, but of those that have ended."""
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) != os.getpid() and not has_ended(int(process.name)):
            with suppress(OSError):  # it has ended meanwhile
                yield from (int(thread.name) for thread in (process / "task").iterdir())


def has_ended(thread: int) -> bool:
    """Tell whether a thread has ended, even if nobody has asked yet how."""
    try:
        return Path(f"/proc/{thread}/stat").read_bytes().rpartition(b") ")[2][:1] in b"ZX"
    except OSError:
        return True


def traced(request: int, thread: int, options: int = 0) -> bool:
    """Ask the kernel something of a thread; return False where it has ended."""
    if ptrace(request, thread, None, options) >= 0:
        return True
    code = ctypes.get_errno()
    # Of one that is ending the kernel says that it may not be traced.
    if code == errno.ESRCH or (code == errno.EPERM and has_ended(thread)):
        return False
    raise OSError(code, os.strerror(code))


def halt() -> set[int]:
    """Halt all threads, also those that begin meanwhile; return them."""
    halted: set[int] = set()
    while new := set(threads()) - halted:
        for thread in new:
            if traced(SEIZE, thread) and traced(INTERRUPT, thread):
                os.waitpid(thread, WAITS_FOR_ALL)
        halted |= new
    return halted


def main() -> None:
    """Do what is asked, and say so; wait where that is to be undone."""
    if not select.select([0], [], [], 60)[0]:
        return  # whoever began this was killed
    word, halted = sys.stdin.readline().strip(), set[int]()
    try:
        if word == "halt":
            halted = halt()
        elif word == "kill":
            traced(SEIZE, 1, DIES_WITH_US)
        print("done", flush=True)
    except OSError as error:
        print(error, flush=True)
    if word == "halt":
        asked_again = sys.stdin.readline()
        for thread in halted:
            traced(DETACH, thread)
        if asked_again:
            print("done", flush=True)


if __name__ == "__main__":
    main()
