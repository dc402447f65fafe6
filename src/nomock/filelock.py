"""One run at a time changes a stack, and none while others use it.

A run that uses a stack holds a shared lock for as long as it lasts; a run that starts, rebuilds
or stops one takes it exclusively. The operating system frees both when the process ends, however
it ends, so a lock is never stale.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic

from nomock.errors import LockedError
from nomock.statefolder import writing

# Asking costs some microseconds; serial tests hand the lock on dozens of times in a run.
_PAUSE_S = 0.01

if sys.platform == "win32":
    import msvcrt

    def _try(fd: int, exclusive: bool) -> bool:
        # Windows has no shared lock here: runs that only use a stack do not exclude each other.
        if not exclusive:
            return True
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _free(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        with suppress(OSError):  # a shared one was never locked
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try(fd: int, exclusive: bool) -> bool:
        how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _free(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


class FileLock:
    """A lock on a file, shared or exclusive, freed by the system when this process ends."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open the file, and make it if there is none; raise StateFolderError.

        For one that is only to be found raise OSError: FileNotFoundError where it is not there.
        """
        self._path = path
        if create:
            with writing(path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        else:
            try:
                self._fd = os.open(path, os.O_RDWR)
            except PermissionError:
                self._fd = os.open(path, os.O_RDONLY)  # another user's: to lock it this will do
        self._note: Path | None = None

    def acquire(
        self,
        *,
        exclusive: bool,
        timeout_s: float | None = None,
        waiting: Callable[[str], None] = lambda holders: None,
    ) -> None:
        """Take the lock, or change the one that is held; call ``waiting`` once if others hold it.

        Raises LockedError after timeout_s, StateFolderError where files cannot be locked at all.
        """
        deadline = None if timeout_s is None else monotonic() + timeout_s
        pause, told = Event(), False
        while not self.acquires_at_once(exclusive=exclusive):
            if not told:
                waiting(self.holders())
                told = True
            if deadline is not None and monotonic() > deadline:
                raise LockedError(
                    f"another run holds it for more than {timeout_s:g} s",
                    where=str(self._path),
                    seen=self.holders(),
                    todo="let that run end, or end it",
                )
            pause.wait(_PAUSE_S)

    def acquires_at_once(self, *, exclusive: bool) -> bool:
        """Take the lock if nobody is in the way; return whether it is held now.

        One that was held in the other way is let go in any case (flock(2)).
        """
        with writing(self._path.parent):  # on network file systems there may be no locks
            return _try(self._fd, exclusive)

    @property
    def is_of_its_path(self) -> bool:
        """Whether the path still names the file that was opened: it may be gone, or a new one."""
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False

    def sign(self, who: str, *, run: int | None = None) -> None:
        """Write down who holds the lock, for those that wait.

        ``run``: the process that stands for a run of several; this one, if it is one alone.
        """
        # A process may hold the same lock twice; no two files of it have the same number.
        self._note = self._notes / f"{os.getpid()}-{run or os.getpid()}-{self._fd}"
        with suppress(OSError):  # on a full disk: its name alone says that it is held, and by whom
            self._notes.mkdir(exist_ok=True)
            self._note.write_text(who, encoding="utf-8")

    def holders(self, *, run: int | None = None) -> str:
        """Return one line for each living process that signed, but for this one and its run's."""
        lines = []
        for note, pid, its_run in self._signed():
            with suppress(OSError):
                if not lives(pid):
                    note.unlink()
                elif pid != os.getpid() and its_run != run:
                    lines.append(f"process {pid}: {note.read_text(encoding='utf-8')}")
        return "\n".join(lines)

    def is_signed_by(self, pid: int) -> bool:
        """Tell whether a process has written down that it holds the lock."""
        return any(signed == pid for _, signed, _ in self._signed())

    def lockers(self) -> str:
        """Return one line for each other process that has it locked, signed or not.

        Where the system tells, which is on Linux: https://man7.org/linux/man-pages/man5/proc.5.html
        """
        inode = os.fstat(self._fd).st_ino
        try:
            locks = Path("/proc/locks").read_text(encoding="utf-8").splitlines()
        except OSError:
            return ""
        # 1: FLOCK  ADVISORY  READ  4711 fd:01:262207 0 EOF; one that waits has "->" before it.
        found = [words for words in map(str.split, locks) if words[1] == "FLOCK"]
        pids = {words[4] for words in found if words[5].rpartition(":")[2] == str(inode)}
        return "\n".join(f"process {pid}" for pid in sorted(pids - {str(os.getpid())}))

    def release(self) -> None:
        """Free the lock; it may be taken again."""
        if self._note is not None:
            self._note.unlink(missing_ok=True)
            self._note = None
        _free(self._fd)

    def close(self) -> None:
        """Free the lock and forget the file."""
        self.release()
        os.close(self._fd)

    def _signed(self) -> Iterator[tuple[Path, int, int]]:
        """Yield each note with its process and that of the run."""
        for note in sorted(self._notes.glob("*-*-*")):
            pid, run, _ = map(int, note.name.split("-"))
            yield note, pid, run

    @property
    def _notes(self) -> Path:
        return self._path.with_suffix(".holders")


def lives(pid: int) -> bool:
    """Tell whether a process of this machine may still be there."""
    if sys.platform == "win32":
        return True  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended, and its parent has not asked how; unknown but on Linux."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return told.rpartition(b") ")[2].startswith(b"Z")  # behind its name, which may have any
