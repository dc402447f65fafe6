"""One file of records: it begins with the header, and its numbers are its own."""

from __future__ import annotations

import errno
import os
import time
from binascii import crc32
from itertools import count

from nomock_spy.appfiles import absolute
from nomock_spy.contexts import Arc, Context
from nomock_spy.files import content
from nomock_spy.hints import Collection, Mapping
from nomock_spy.quoting import quote
from nomock_spy.settings import Settings

FORMAT_VERSION = 3
HERE, CLOSED, REMOVED = "here", "closed", "removed"
_SUFFIX = ".ndjson"


class RecordFile:
    """An open file that begins with the header; the numbers of files and contexts are its own.

    The name holds the run, so that data of two runs are never mixed, and the host and a random
    part beside the process id, since the first process of every container has the id 1.
    """

    def __init__(self, settings: Settings, header: str) -> None:
        host, self.pid = os.uname().nodename, os.getpid()
        parts = (settings.service, settings.run or "-", host, str(self.pid), os.urandom(4).hex())
        self._path = f"{settings.out}/{'.'.join(parts).replace('/', '_')}{_SUFFIX}"
        self.fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        # Whatever umask the service has: the one who harvests may be another user.
        os.fchmod(self.fd, 0o644)
        stat = os.fstat(self.fd)
        self._identity = stat.st_dev, stat.st_ino
        self._has_links = stat.st_nlink > 0  # not every file system counts them
        self._held: str | None = ""
        self._cut_off = False
        self._lost: set[str] = set()
        self.numbers: dict[str, int] = {}
        self._next_file = count().__next__
        self._next_context = count(1).__next__
        self.append(
            f'{{"v":{FORMAT_VERSION},{header},'
            f'"host":{quote(host)},"pid":{self.pid},"started":{time.time():.3f}}}\n'
        )

    def fate(self) -> str:
        """Return HERE, CLOSED where the descriptor is not this file, or REMOVED.

        A service that becomes a daemon closes all descriptors it has; the number may be one of
        its sockets a moment later. What has no name any more nobody will read.
        """
        try:
            stat = os.fstat(self.fd)
        except OSError:
            return CLOSED
        if (stat.st_dev, stat.st_ino) != self._identity:
            return CLOSED
        return HERE if stat.st_nlink or not self._has_links else REMOVED

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
        numbers = self.numbers
        new = [name for name in (*lines, *arcs) if name not in numbers]
        if new:
            numbers = dict(numbers)
            for name in dict.fromkeys(new):
                numbers[name] = self._next_file()
                path = absolute(name)
                introduced = f'{{"file":{numbers[name]},"path":{quote(path)}{_fingerprint(path)}}}'
                record += introduced + "\n"
        ran = ",".join([f'"{numbers[name]}":{_shortest(found)}' for name, found in lines.items()])
        record += f'{{"in":{number},"at":{time.time():.3f},"lines":{{{ran}}}'
        if arcs:
            taken = ",".join(
                f'"{numbers[name]}":[{",".join(f"[{start},{end}]" for start, end in set(pairs))}]'
                for name, pairs in arcs.items()
            )
            record += f',"arcs":{{{taken}}}'
        self.append(record + "}\n")
        context.number = (self, number)
        if new:
            self.numbers.update(numbers)

    def ran_line(self, context: Context, name: str, line: int) -> None:
        """Append the record of one line; a start-up has thousands of these."""
        file, known = self.numbers.get(name), context.number
        if file is None or known is None or known[0] is not self:
            self.ran(context, {name: [line]}, {})
            return
        ran = f'"lines":{{"{file}":[{line}]}}'
        self.append(f'{{"in":{known[1]},"at":{time.time():.3f},{ran}}}\n')

    def context(self, context: Context) -> tuple[int, str]:
        """Return the context's number here, and the record that introduces it, if it has none."""
        if context.number is not None and context.number[0] is self:
            return context.number[1], ""
        if context.origin is None:
            return 0, ""
        number = self._next_context()
        told = f'"test":{quote(context.origin.test)},"fault":{quote(context.origin.fault)}'
        return number, f'{{"context":{number},{told}}}\n'

    def lost(self, what: str) -> None:
        """Append what may be missing of what ran, once."""
        if what not in self._lost:
            self._lost.add(what)
            self.append(f'{{"lost":{quote(what)}}}\n')

    def append(self, text: str) -> None:
        """Write to the end of the file; raises OSError where not all of it could be.

        Before ``release`` it is kept for that.
        """
        if self._held is not None:
            self._held += text
            return
        data = text.encode("ascii")
        if self._cut_off:
            data = b"\n" + data  # behind what is left of a record
        while data:  # once, but for a disk that is full in the middle: the next says why
            written = os.write(self.fd, data)
            data = data[written:]
            self._cut_off = len(data) > 0

    def release(self) -> None:
        """Write what was kept, and from now on everything at once."""
        held, self._held = self._held, None
        if held:
            self.append(held)

    def give_up(self, why: int) -> None:
        """Say in the file's name that something is missing in it, and why: an ``errno``.

        That takes no room on a disk that is full, and no descriptor where there is none left.
        """
        reason = errno.errorcode.get(why, "EIO")
        named = f"{self._path[: -len(_SUFFIX)]}.{reason}{_SUFFIX}"
        try:
            os.rename(self._path, named)  # noqa: PTH104 - pathlib is slow to load
        except OSError:  # the whole folder is gone, or read-only: it is on stderr
            return
        self._path = named


def _shortest(lines: Collection[int]) -> str:
    """Return lines as a list when it is one, as most of a start-up's are, else as a bitmap."""
    return str(lines) if len(lines) == 1 else f'"{sum(map((1).__lshift__, lines)):x}"'


def _fingerprint(path: str) -> str:
    """Return what tells this version of a source file from another, nothing if it is not there.

    By it the harvest notices that the image is older than the files it reports on. CRC-32 is
    enough for that, and at hand without loading hashlib.
    """
    source = content(path)
    return "" if source is None else f',"size":{len(source)},"crc32":{crc32(source)}'
