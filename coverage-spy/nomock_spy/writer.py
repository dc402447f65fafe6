"""The file that a process writes what it ran to: JSON records, one a line.

What was written is safe when ``os.write`` returns: a process that is killed a moment later
(SIGKILL) has lost nothing. No thread, no signal handler, no exit hook, no buffer.

    {"v":1,"tool":"sys.monitoring","service":"auth","pid":1,...}   the header, first in each file
    {"file":0,"path":"/app/auth/app.py","size":99,"crc32":7}       a source file and its number
    {"file":0,"lines":[12]}                                        lines of it that ran
"""

from __future__ import annotations

import errno
import os
import sys
import time
from binascii import crc32
from itertools import count

from nomock_spy.appfiles import absolute
from nomock_spy.guard import say
from nomock_spy.settings import Settings

try:  # json takes milliseconds to load; this is its part in C that quotes a string
    from _json import encode_basestring_ascii as quote
except ImportError:
    from json.encoder import py_encode_basestring_ascii as quote

FORMAT_VERSION = 1


class Writer:
    """Appends records to a file of this process's own; another one after a fork.

    When the file cannot be written, that is said once on stderr, and nothing is written after.
    """

    def __init__(self, settings: Settings, *, unsupported: str = "") -> None:
        self._settings = settings
        self._unsupported = unsupported
        self._file: _File | None = None
        self._dead = False
        os.register_at_fork(after_in_child=self._forget)

    def open(self) -> bool:
        """Begin the file, so that the harvest sees a spy even before a line has run.

        Returns whether it can be written.
        """
        try:
            self._file = _File(self._settings, self._unsupported)
        except OSError as error:
            self._give_up(error)
        return not self._dead

    def line(self, filename: str, line: int) -> None:
        """Record that a line ran."""
        if self._dead:
            return
        try:
            file = self._file
            if file is None or not file.is_ours():
                file = self._file = _File(self._settings, self._unsupported)
            file.line(filename, line)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._dead = True
        say(f"not recording: cannot write to {self._settings.out}: {error.strerror}")

    def _forget(self) -> None:
        """Leave the file to the parent; the child's own is opened when it has a line to write."""
        file, self._file = self._file, None
        if file is not None and file.is_ours():
            os.close(file.fd)


class _File:
    """An open file that begins with the header; the numbers of source files are its own.

    The name holds the host and a random part beside the process id, since the first process of
    every container has the id 1.
    """

    def __init__(self, settings: Settings, unsupported: str) -> None:
        host, pid = os.uname().nodename, os.getpid()
        name = f"{settings.service}.{host}.{pid}.{os.urandom(4).hex()}.ndjson".replace("/", "_")
        self.fd = os.open(
            f"{settings.out}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        # Whatever umask the service has: the one who harvests may be another user.
        os.fchmod(self.fd, 0o644)
        self._identity = self._stat()
        self._numbers: dict[str, int] = {}
        self._next_number = count().__next__
        tool = "null" if unsupported else '"sys.monitoring"'
        self._append(
            f'{{"v":{FORMAT_VERSION},"tool":{tool},"service":{quote(settings.service)},'
            f'"run":{quote(settings.run)},"python":{quote(sys.version.split()[0])},'
            f'"host":{quote(host)},"pid":{pid},"started":{time.time():.3f},'
            f'"unsupported":{quote(unsupported)}}}\n'
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

    def line(self, filename: str, line: int) -> None:
        """Append one line that ran, and the source file's number before its first."""
        number = self._numbers.get(filename)
        introduction = ""
        if number is None:
            # Two threads may both get here: each takes a number and introduces it.
            number = self._next_number()
            path = absolute(filename)
            introduction = f'{{"file":{number},"path":{quote(path)}{_fingerprint(path)}}}\n'
        self._append(f'{introduction}{{"file":{number},"lines":[{line}]}}\n')
        self._numbers[filename] = number

    def _append(self, text: str) -> None:
        data = text.encode("ascii")
        if os.write(self.fd, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _stat(self) -> tuple[int, int]:
        stat = os.fstat(self.fd)
        return stat.st_dev, stat.st_ino


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
