"""A mutant that hangs is ended: where its code has run for too long, an exception is raised in it.

https://docs.python.org/3/c-api/threads.html: PyThreadState_SetAsyncExc. It comes between two
instructions of Python, so not while a call of C blocks: then the container has to be restarted.
"""

from __future__ import annotations

import sys
from _thread import get_ident, start_new_thread
from os import getpid
from time import monotonic, sleep

from nomock_spy.guard import swallow
from nomock_spy.hints import Any, CodeType, FrameType
from nomock_spy.mutants.told import Told

_LOOK_S = 0.5
# A machine that is busy lets code take longer, but not work longer.
_WAITS_TIMES = 10
# A coroutine is in its thread again and again; one that hangs is so each time.
_LOOKS = 3


class MutantHangsError(BaseException):
    """Raised in code that a mutant lets run for ever; no ``except Exception`` keeps it."""


class Watching:
    """Knows which mutant each thread has begun last, and looks whether it is still at it."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._begun: dict[int, _Begun] = {}
        """By thread."""
        self._ran: set[str] = set()
        self._pid = 0
        """The process in which somebody looks: a fork has the parent's memory, not its threads."""

    def began(self, frame: FrameType, mutant: str) -> None:
        """Learn that a frame has begun to do what a mutant does."""
        thread = get_ident()
        self._begun[thread] = _Begun(frame, mutant, _worked_s(thread))
        if mutant not in self._ran:
            self._ran.add(mutant)
            self._told.say(ran=mutant)
        if self._pid != getpid():
            self._pid = getpid()
            start_new_thread(self._look, ())

    def _look(self) -> None:
        try:
            while True:
                sleep(_LOOK_S)
                for thread, begun in tuple(self._begun.items()):
                    if not begun.is_run_by(thread):
                        begun.seen = 0
                        continue
                    begun.seen += 1
                    worked = _worked_s(thread) - begun.worked_s > self._told.limit_s
                    waited = monotonic() - begun.at > self._told.limit_s * _WAITS_TIMES
                    if begun.seen >= _LOOKS and (worked or waited):
                        self._end(thread, begun.mutant)
        except BaseException as error:
            swallow(error)

    def _end(self, thread: int, mutant: str) -> None:
        self._told.say(hung=mutant)
        import ctypes

        raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
        raise_in(ctypes.c_ulong(thread), ctypes.py_object(MutantHangsError))


class _Begun:
    """That a thread began to do what a mutant does."""

    __slots__ = ("_code", "_frame", "at", "mutant", "seen", "worked_s")

    def __init__(self, frame: FrameType, mutant: str, worked_s: float) -> None:
        self._frame = id(frame)  # itself, it would keep alive all that it has
        self._code: CodeType = frame.f_code
        self.mutant = mutant
        self.at = monotonic()
        self.worked_s = worked_s
        self.seen = 0
        """How often it was seen at it, one look after the other."""

    def is_run_by(self, thread: int) -> bool:
        """Tell whether a thread is in it, however deep: one that awaits something is in nothing."""
        frame = sys._current_frames().get(thread)
        while frame is not None:
            if id(frame) == self._frame and frame.f_code is self._code:
                return True
            frame = frame.f_back
        return False


def _worked_s(thread: int) -> float:
    """Return how long a processor has worked for a thread; 0 where the system does not tell."""
    import time

    module: Any = time
    try:
        return float(time.clock_gettime(module.pthread_getcpuclockid(thread)))
    except (AttributeError, OSError):
        return 0.0
