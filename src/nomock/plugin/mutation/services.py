"""The services under a worker: restarted where a mutant broke one, and started with a mutant.

Workers share them. One that restarts something waits until no other is in the middle of a piece.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from nomock.filelock import FileLock
from nomock.mutation import Mutant, decoded, mutate
from nomock.mutation.live.folder import Imported, MutantsFolder
from nomock.mutation.live.job import RESET, Task
from nomock.plugin.run import Run
from nomock.polling import wait_until

_AT_ONCE = 8
_RESTARTS_WITHIN_S = 300.0
_PAUSE_S = 0.1


class Services:
    """The services that have mutants, as one worker of several has them."""

    def __init__(self, run: Run, path: Path, root: Path, folder: MutantsFolder) -> None:
        self._run = run
        self._root = root
        self._folder = folder
        self._lock = FileLock(path.with_suffix(".lock"))
        self._restarts = path.with_suffix(".restarts")
        """A file that grows by a byte with each restart."""
        self._wanted = path.with_suffix(".wanted")
        """A file that is there while a worker waits to restart something."""
        self._reset = path.with_suffix(RESET)
        self._resets = path.with_suffix(".resets")
        """A file that grows by a byte with each time that the data came back."""
        self._known_resets = 0
        self._seen = 0
        self._is_alone = False

    def __enter__(self) -> Services:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.close()

    @contextmanager
    def used(self, *, alone: bool) -> Iterator[None]:
        """Use them for a block: along with other workers, or ``alone``."""
        self._lock.acquire(exclusive=alone)
        self._is_alone, self._seen = alone, _size(self._restarts)
        try:
            yield
        finally:
            self._lock.release()

    def have_other_data(self) -> bool:
        """Tell, once each time, whether what tests have made since the start is gone."""
        before, self._known_resets = self._known_resets, _size(self._resets)
        return self._known_resets != before

    def let_restart(self) -> None:
        """Let another worker restart something, if one waits for that; between two mutants."""
        if self._is_alone or not self._wanted.exists():
            return
        self._lock.release()
        wait_until(lambda: not self._wanted.exists(), within_s=_RESTARTS_WITHIN_S, pause_s=_PAUSE_S)
        self._lock.acquire(exclusive=False)

    def restart(self, services: Sequence[str]) -> None:
        """Restart some, unless another worker did so since this one's piece began.

        Raises NomockError where they do not become ready.
        """
        with self._alone():
            if self._is_alone or _size(self._restarts) == self._seen:
                self._restart(services)

    def reset(self, services: Sequence[str]) -> None:
        """Have the command bring the data back, and restart some, with no other worker at work.

        Raises NomockError where they do not become ready.
        """
        with self._alone():
            self._reset.touch()
            wait_until(
                lambda: not self._reset.exists(), within_s=_RESTARTS_WITHIN_S, pause_s=_PAUSE_S
            )
            with self._resets.open("ab") as file:
                file.write(b".")
            self._restart(services)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Have no other worker use them for a block: each lets go between two mutants."""
        if self._is_alone:
            yield
            return
        self._wanted.touch()
        self._lock.acquire(exclusive=True)
        try:
            yield
        finally:
            self._wanted.unlink(missing_ok=True)
            self._lock.acquire(exclusive=False)
            self._seen = _size(self._restarts)

    def start_with(self, tasks: Sequence[Task]) -> None:
        """Start those of some mutants with them; raise NomockError where one does not start."""
        by_module: defaultdict[str, list[tuple[Task, Mutant]]] = defaultdict(list)
        for task in tasks:
            assert task.change is not None, "it is of what an import runs"
            by_module[task.module].append((task, task.change))
        self._folder.import_([_imported(self._root, found) for found in by_module.values()])
        self._restart(tasks[0].services)

    def restore(self, services: Sequence[str]) -> None:
        """Start them as they are without a mutant."""
        self._folder.import_none()
        self._restart(services)

    def _restart(self, services: Sequence[str]) -> None:
        stack, target = self._run.main, self._run.main.target
        found = [c.id for c in stack.containers() if c.service in services]

        def begin_anew(container: str) -> None:
            target.stop(container, 0)  # gracefully, it would wait for who is connected
            target.start(container)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(begin_anew, found))
        for name in services:
            stack.wait_started(name)
        with self._restarts.open("ab") as file:
            file.write(b".")


def _imported(root: Path, found: Sequence[tuple[Task, Mutant]]) -> Imported:
    """Return a file with some mutants."""
    changes = [change for _, change in found]
    file = root / changes[0].path
    text = mutate(decoded(file.read_bytes()), *changes)
    return Imported(tuple(one.id for one in changes), found[0][0].module, file.name, text)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
