"""The file that a process writes what it ran to: JSON records, one a line.

What was written is safe when ``os.write`` returns: a process that is killed a moment later
(SIGKILL) has lost nothing. No thread, no signal handler, no exit hook, no buffer.

    {"v":2,"engine":"sys.monitoring","service":"auth","pid":1,…}   the header, first in each file
    {"file":0,"path":"/app/auth/app.py","size":99,"crc32":7}       a source file and its number
    {"context":1,"test":"tests/test_a.py::test_b","fault":""}      a context and its number
    {"in":1,"at":1795230219.7,"lines":{"0":"1c0"}}                 what ran: bit n is line n,
    {"in":0,"at":1795230219.7,"lines":{"0":[12]}}                  or a list of lines
    {"server":"uvicorn"}                                           its requests have contexts
    {"canary":4,"context":1,"hit":12,"missed":14}                  what the canary must have run
    {"became":"python app.py"}                                     the process is another Python now

Context 0 is never introduced: start-up and background. A file or a context may be introduced
more than once, with another number. ``arcs`` beside ``lines`` are branches taken, by file number:
``[[12,14],[12,-3]]`` in coverage.py's meaning; those between lines that did not run do not count.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from binascii import crc32
from collections.abc import Collection, Mapping
from itertools import count

from nomock_spy.appfiles import absolute
from nomock_spy.contexts import Arc, Context
from nomock_spy.guard import say
from nomock_spy.settings import Settings

try:  # json takes milliseconds to load; this is its part in C that quotes a string
    from _json import encode_basestring_ascii as quote
except ImportError:
    from json.encoder import py_encode_basestring_ascii as quote

FORMAT_VERSION = 2


class Writer:
    """Appends records to a file of this process's own; another one after a fork.

    When the file cannot be written, that is said once on stderr, and nothing is written after.
    """

    def __init__(
        self, settings: Settings, engine: str, *, branches: bool = False, unsupported: str = ""
    ) -> None:
        self._settings = settings
        tool = quote(engine) if engine else "null"
        self._header = (
            f'"engine":{tool},"branches":{"true" if branches else "false"},'
            f'"unsupported":{quote(unsupported)},"service":{quote(settings.service)},'
            f'"run":{quote(settings.run)},"python":{quote(sys.version.split()[0])},'
            f'"executable":{quote(sys.executable or "")}'
        )
        self._file: _File | None = None
        self._dead = False

    def open(self) -> bool:
        """Begin a file, which stays empty until ``release``; return whether it can be written.

        Called once more in the child of a fork, whose parent keeps the file.
        """
        if not self._dead:
            try:
                if self._file is not None and self._file.is_ours():
                    os.close(self._file.fd)
                self._file = _File(self._settings, self._header)
            except OSError as error:
                self._give_up(error)
        return not self._dead

    def release(self) -> None:
        """Write down what there is: the header, and the canary.

        In one piece, so that a process that is killed as it starts has proved itself or left
        nothing; and before a line of the app has run, so that the harvest sees a spy.
        """
        if self._dead or self._file is None:
            return
        try:
            self._file.release()
        except OSError as error:
            self._give_up(error)

    def ran(
        self,
        context: Context,
        lines: Mapping[str, Collection[int]],
        arcs: Mapping[str, Collection[Arc]],
    ) -> None:
        """Record the lines that ran in a context, each once, and the branches, by file name."""
        if self._dead:
            return
        try:
            self._ours().ran(context, lines, arcs)
        except OSError as error:
            self._give_up(error)

    def server(self, name: str) -> None:
        """Record that the requests which this process serves have contexts."""
        self._note(f'{{"server":{quote(name)}}}\n')

    def became(self, command: str) -> None:
        """Record that this process is about to become another Python: the next one of its id."""
        self._note(f'{{"became":{quote(command)}}}\n')

    def canary(self, context: Context, filename: str, *, hit: int, missed: int) -> None:
        """Record which line of the canary must have run in a context, and which must not."""
        if not self._dead:
            file = self._ours()
            self._note(
                f'{{"canary":{file.numbers.get(filename, -1)},"context":{file.context(context)[0]},'
                f'"hit":{hit},"missed":{missed}}}\n'
            )

    def _note(self, record: str) -> None:
        if self._dead:
            return
        try:
            self._ours().append(record)
        except OSError as error:
            self._give_up(error)

    def _ours(self) -> _File:
        """Return the open file; another one where the service has closed it, as daemons do.

        And in the child of a fork that nobody was told of.
        """
        file = self._file
        # Not every fork is told of: uWSGI makes its workers without Python's hooks.
        if file is None or file.pid != os.getpid() or not file.is_ours():
            # Said, since there is no canary in it.
            header = self._header + ',"goes_on":true'
            file = self._file = _File(self._settings, header)
            file.release()
        return file

    def _give_up(self, error: OSError) -> None:
        self._dead = True
        say(f"not recording: cannot write to {self._settings.out}: {error.strerror}")


class _File:
    """An open file that begins with the header; the numbers of files and contexts are its own.

    The name holds the run, so that data of two runs are never mixed, and the host and a random
    part beside the process id, since the first process of every container has the id 1.
    """

    def __init__(self, settings: Settings, header: str) -> None:
        host, self.pid = os.uname().nodename, os.getpid()
        parts = (settings.service, settings.run or "-", host, str(self.pid), os.urandom(4).hex())
        name = ".".join(parts).replace("/", "_") + ".ndjson"
        self.fd = os.open(
            f"{settings.out}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        # Whatever umask the service has: the one who harvests may be another user.
        os.fchmod(self.fd, 0o644)
        self._identity = self._stat()
        self._held: str | None = ""
        self.numbers: dict[str, int] = {}
        self._next_file = count().__next__
        self._next_context = count(1).__next__
        self.append(
            f'{{"v":{FORMAT_VERSION},{header},'
            f'"host":{quote(host)},"pid":{self.pid},"started":{time.time():.3f}}}\n'
        )

    def is_ours(self) -> bool:
        """Tell whether the descriptor still is this file.

        A service that becomes a daemon closes all descriptors it has; the number may be one of
        its sockets a moment later.
        """
        try:
            return self._stat() == self._identity
        except OSError:
            return False

    def ran(
        self,
        context: Context,
        lines: Mapping[str, Collection[int]],
        arcs: Mapping[str, Collection[Arc]],
    ) -> None:
        """Append one record, behind those that introduce its context and its files.

        Numbers are made known when they are written: of two threads that get here at once, each
        introduces its own.
        """
        number, record = self.context(context)
        numbers = {name: self.numbers.get(name, -1) for name in (*lines, *arcs)}
        for name, known in numbers.items():
            if known < 0:
                numbers[name] = self._next_file()
                path = absolute(name)
                record += f'{{"file":{numbers[name]},"path":{quote(path)}{_fingerprint(path)}}}\n'
        ran = ",".join(f'"{numbers[name]}":{_shortest(found)}' for name, found in lines.items())
        record += f'{{"in":{number},"at":{time.time():.3f},"lines":{{{ran}}}'
        if arcs:
            taken = ",".join(
                f'"{numbers[name]}":[{",".join(f"[{start},{end}]" for start, end in set(pairs))}]'
                for name, pairs in arcs.items()
            )
            record += f',"arcs":{{{taken}}}'
        self.append(record + "}\n")
        context.number = (self, number)
        self.numbers.update(numbers)

    def context(self, context: Context) -> tuple[int, str]:
        """Return the context's number here, and the record that introduces it, if it has none."""
        if context.number is not None and context.number[0] is self:
            return context.number[1], ""
        if context.origin is None:
            return 0, ""
        number = self._next_context()
        test, fault = context.origin
        return number, f'{{"context":{number},"test":{quote(test)},"fault":{quote(fault)}}}\n'

    def append(self, text: str) -> None:
        """Write to the end of the file; raises OSError where not all of it could be.

        Before ``release`` it is kept for that.
        """
        if self._held is not None:
            self._held += text
            return
        data = text.encode("ascii")
        if os.write(self.fd, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def release(self) -> None:
        """Write what was kept, and from now on everything at once."""
        held, self._held = self._held, None
        if held:
            self.append(held)

    def _stat(self) -> tuple[int, int]:
        stat = os.fstat(self.fd)
        return stat.st_dev, stat.st_ino


def _shortest(lines: Collection[int]) -> str:
    """Return lines as a list when it is one, as most of a start-up's are, else as a bitmap."""
    return str(lines) if len(lines) == 1 else f'"{sum(map((1).__lshift__, lines)):x}"'


def _fingerprint(path: str) -> str:
    """Return what tells this version of a source file from another, nothing if it is not there.

    By it the harvest notices that the image is older than the files it reports on. CRC-32 is
    enough for that, and at hand without loading hashlib.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        source = os.read(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)
    return f',"size":{len(source)},"crc32":{crc32(source)}'
