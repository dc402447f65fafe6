"""One part of a stack, an edge or a service, as tests hold it."""

from __future__ import annotations

from nomock.filelock import FileLock


class Part:
    """One part's lock, which is shared or held alone, and the queue before it."""

    def __init__(self, queue: FileLock, lock: FileLock) -> None:
        self._queue = queue
        self._lock = lock

    def enters(self) -> bool:
        """Share the lock with others, if nobody is in the queue; return whether that was so."""
        if not self._queue.acquires_at_once(exclusive=False):
            return False
        try:
            return self._lock.acquires_at_once(exclusive=False)
        finally:
            self._queue.release()

    def queues(self) -> bool:
        """Go into the queue, if nobody else is there; return whether that was so."""
        return self._queue.acquires_at_once(exclusive=True)

    def takes(self, *, alone: bool) -> bool:
        """Have the lock, past the queue, if that is possible at once; return whether it was."""
        return self._lock.acquires_at_once(exclusive=alone)

    def gives_back(self, *, shared: bool) -> None:
        """Give the lock back, or share it as before, and stay in the queue."""
        if shared:  # nobody has taken it alone: one at a time takes
            self._lock.acquires_at_once(exclusive=False)
        else:
            self._lock.release()

    def sign(self, who: str) -> None:
        """Write down who holds the lock alone."""
        self._lock.sign(who)

    def breakers(self) -> str:
        """Return one line for each other process that holds the lock alone."""
        return self._lock.holders()

    def users(self) -> str:
        """Return one line for each other process that has the lock."""
        return self._lock.lockers()

    def leave(self) -> None:
        """Give the lock back, and the place in the queue."""
        self._lock.release()
        self._queue.release()
