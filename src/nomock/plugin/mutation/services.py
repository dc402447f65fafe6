"""The services under a worker: restarted where a mutant broke one, and started with mutants.

Each worker has a stack of its own: what a mutant breaks, or leaves in a queue, is nobody else's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from nomock.database.snapshot import Snapshot
from nomock.errors import NomockError
from nomock.mutation import Mutant, decoded, mutate
from nomock.mutation.live.folder import Imported, MutantsFolder
from nomock.mutation.live.job import Task
from nomock.stack import Stack

_AT_ONCE = 8


class Services:
    """The services that have mutants, of a worker's own stack, which is ready."""

    def __init__(self, stack: Stack, root: Path, folder: MutantsFolder) -> None:
        self._stack = stack
        self._root = root
        self._folder = folder
        self._data: Snapshot | None = None

    def __enter__(self) -> Services:
        with suppress(NomockError):  # it has no PostgreSQL, or not one that is entered
            self._data = self._stack.postgres.snapshot_beneath()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._data is not None:
            with suppress(NomockError):  # the next snapshot takes away what is left of this one
                self._data.restore()
                self._data.drop()

    def restart(self, services: Sequence[str]) -> None:
        """Restart some; raise NomockError where they do not become ready."""
        target = self._stack.target
        found = [c.id for c in self._stack.containers() if c.service in services]

        def begin_anew(container: str) -> None:
            target.stop(container, 0)  # gracefully, it would wait for who is connected
            target.start(container)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(begin_anew, found))
        for name in services:
            self._stack.wait_started(name)

    def reset(self, services: Sequence[str]) -> None:
        """Bring the rows back that were there before any mutant, and restart some.

        A mutant of a DELETE may have taken what all tests need. Raises NomockError where the
        services do not become ready.
        """
        if self._data is not None:
            with suppress(NomockError):  # then its tests stay red, and say so
                self._data.restore()
        self.restart(services)

    def start_with(self, tasks: Sequence[Task], services: Sequence[str]) -> None:
        """Start some with mutants; raise NomockError where one does not start."""
        by_module: defaultdict[str, list[tuple[Task, Mutant]]] = defaultdict(list)
        for task in tasks:
            assert task.change is not None, "it is of what an import runs"
            by_module[task.module].append((task, task.change))
        self._folder.import_([_imported(self._root, found) for found in by_module.values()])
        self.restart(services)

    def restore(self, services: Sequence[str]) -> None:
        """Start them as they are without a mutant."""
        self._folder.import_none()
        self.restart(services)


def _imported(root: Path, found: Sequence[tuple[Task, Mutant]]) -> Imported:
    """Return a file with some mutants."""
    changes = [change for _, change in found]
    file = root / changes[0].path
    text = mutate(decoded(file.read_bytes()), *changes)
    return Imported(tuple(one.id for one in changes), found[0][0].module, file.name, text)
