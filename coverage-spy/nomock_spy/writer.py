"""The file that a process writes what it ran to: JSON records, one a line.

What was written is safe when ``os.write`` returns: a process that is killed a moment later
(SIGKILL) has lost nothing. No thread, no signal handler, no exit hook, no buffer.

    {"v":3,"core":"sys.monitoring","service":"auth","pid":1,…}   the header, first in each file
    {"file":0,"path":"/app/auth/app.py","size":99,"crc32":7}       a source file and its number
    {"context":1,"test":"tests/test_a.py::test_b","fault":""}      a context and its number
    {"in":1,"at":1795230219.7,"lines":{"0":"1c0"}}                 what ran: bit n is line n,
    {"in":0,"at":1795230219.7,"lines":{"0":[12]}}                  or a list of lines
    {"server":"uvicorn"}                                           its requests have contexts
    {"canary":4,"context":1,"hit":12,"missed":14}                  what the canary must have run
    {"became":"python app.py"}                                     the process is another Python now
    {"lost":"ValueError('broken')"}                                something of what ran is missing

Context 0 is never introduced: start-up and background. A file or a context may be introduced
more than once, with another number. ``arcs`` beside ``lines`` are branches taken, by file number:
``[[12,14],[12,-3]]`` in coverage.py's meaning; those between lines that did not run do not count.
"""

from __future__ import annotations

import errno
import os
import sys
from time import monotonic

from nomock_spy.contexts import Arc, Context
from nomock_spy.guard import say
from nomock_spy.hints import Callable, Collection, Mapping, Sequence
from nomock_spy.quoting import quote
from nomock_spy.recordfile import CLOSED, HERE, REMOVED, RecordFile
from nomock_spy.settings import Settings

# How long it is not tried to write again after that went wrong: a disk may have room some day,
# and each try costs a line of the service.
_REST_S = 1.0
_REMOVED = "what was in its first file of records is gone: somebody removed it"


def _given() -> str:
    """Return by which option this Python is given a program that is no file of anybody's.

    As text, or a module of Python's own: ``-c``, ``-``, ``-m http.server``; "" where it is a file.
    """
    first = getattr(sys, "argv", None) or [None]
    words = getattr(sys, "orig_argv", ())  # from 3.10 on
    if first[0] == "":  # a pipe; or it is a part of another program, such as uWSGI
        return "-" if words else ""
    if first[0] == "-m" and words:
        module = _module_in(words)
        return f"-m {module}" if module.partition(".")[0] in sys.stdlib_module_names else ""
    return first[0] if first[0] in ("-c", "-") else ""


def _module_in(words: Sequence[str]) -> str:
    """Return the module that ``-m`` names among the words of a command: ``-um x``, ``-mx``."""
    for at, word in enumerate(words[1:], 1):
        if word[:1] == "-" and word[1:2] not in ("W", "X", "-"):
            _, found, rest = word.partition("m")
            if found:
                return rest or "".join(words[at + 1 : at + 2])
    return ""


class Writer:
    """Appends records to a file of this process's own; another one after a fork.

    When it cannot, that is said once on stderr and in the file's name, and tried again later.
    """

    def __init__(
        self, settings: Settings, core: str, *, branches: bool = False, unsupported: str = ""
    ) -> None:
        self._settings = settings
        tool = quote(core) if core else "null"
        self._header = (
            f'"core":{tool},"branches":{"true" if branches else "false"},'
            f'"unsupported":{quote(unsupported)},"service":{quote(settings.service)},'
            f'"run":{quote(settings.run)},"python":{quote(sys.version.split()[0])},'
            f'"executable":{quote(sys.executable or "")},"given":{quote(_given())}'
        )
        self._file: RecordFile | None = None
        self.is_opening = False
        """Whether a file is being opened, for which Python raises audit events."""
        self._rests_until = 0.0
        self._failed = 0
        """The number of the error for which something could not be written; 0 without one."""

    def open(self) -> bool:
        """Begin a file, which stays empty until ``release``; return whether it can be written.

        Called once more in the child of a fork, whose parent keeps the file.
        """
        if self._file is not None and self._file.pid == os.getpid():
            return True  # of a fork that nobody was told of until something had been written
        try:
            if self._file is not None and self._file.fate() != CLOSED:
                os.close(self._file.fd)
            self._file = self._begin(self._header)
        except OSError as error:
            self._give_up(error)
            return False
        self._failed = 0  # what failed in the parent is in the parent's file
        return True

    def release(self) -> None:
        """Write down what there is: the header, and the canary.

        In one piece, so that a process that is killed as it starts has proved itself or left
        nothing; and before a line of the app has run, so that the harvest sees a spy.
        """
        self._write(lambda file: file.release())

    def ran(
        self,
        context: Context,
        lines: Mapping[str, Collection[int]],
        arcs: Mapping[str, Collection[Arc]],
    ) -> None:
        """Record the lines that ran in a context, each once, and the branches, by file name."""
        if self._failed:
            self._write(lambda file: file.ran(context, lines, arcs))
            return
        try:
            self._ours().ran(context, lines, arcs)
        except OSError as error:
            self._give_up(error)

    def ran_line(self, context: Context, name: str, line: int) -> None:
        """Record one line that ran in a context, as it runs."""
        if self._failed:
            self.ran(context, {name: [line]}, {})
            return
        try:
            self._ours().ran_line(context, name, line)
        except OSError as error:
            self._give_up(error)

    def server(self, name: str) -> None:
        """Record that the requests which this process serves have contexts."""
        self._write(lambda file: file.append(f'{{"server":{quote(name)}}}\n'))

    def became(self, command: str) -> None:
        """Record that this process is about to become another Python: the next one of its id."""
        self._write(lambda file: file.append(f'{{"became":{quote(command)}}}\n'))

    def lost(self, what: str) -> None:
        """Record that something of what ran is missing."""
        self._write(lambda file: file.lost(what))

    def canary(self, context: Context, filename: str, *, hit: int, missed: int) -> None:
        """Record which line of the canary must have run in a context, and which must not."""
        self._write(
            lambda file: file.append(
                f'{{"canary":{file.numbers.get(filename, -1)},"context":{file.context(context)[0]},'
                f'"hit":{hit},"missed":{missed}}}\n'
            )
        )

    def _write(self, write: Callable[[RecordFile], None]) -> None:
        if self._failed and monotonic() < self._rests_until:
            return
        try:
            write(self._ours())
        except OSError as error:
            self._give_up(error)

    def _ours(self) -> RecordFile:
        """Return the open file; another one where the service has closed it, as daemons do.

        And in the child of a fork that nobody was told of, and where somebody removed it.
        """
        file = self._file
        # Not every fork is told of: uWSGI makes its workers without Python's hooks.
        fate = file.fate() if file is not None and file.pid == os.getpid() else CLOSED
        if file is not None and fate == HERE:
            return file
        if file is not None and fate == REMOVED:
            os.close(file.fd)
        # Said, since there is no canary in it.
        file = self._begin(self._header + ',"goes_on":true')
        file.release()
        self._file = file
        if fate == REMOVED:
            say(_REMOVED)
            file.lost(_REMOVED)
        if self._failed:
            file.give_up(self._failed)
        return file

    def _begin(self, header: str) -> RecordFile:
        self.is_opening = True
        try:
            return RecordFile(self._settings, header)
        finally:
            self.is_opening = False

    def _give_up(self, error: OSError) -> None:
        if not self._failed:
            say(f"not recording: cannot write to {self._settings.out}: {error.strerror}")
        self._failed = error.errno or errno.EIO
        self._rests_until = monotonic() + _REST_S
        if self._file is not None and self._file.pid == os.getpid():
            self._file.give_up(self._failed)
