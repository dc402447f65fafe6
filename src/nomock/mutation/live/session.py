"""The stack with the spy on and a run's mutants told: started once, and used by several workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nomock.config import Settings
from nomock.coverage.harvest import new_run, tell_modules
from nomock.coverage.harvest.folder import RECORDS
from nomock.coverage.overlay import provide_mounted_spy
from nomock.coverage.overlay.wheels import provide_mounted
from nomock.coverage.session import RUN_VARIABLE, covered, data_dir, prove, with_spy
from nomock.database.snapshot import Snapshot
from nomock.errors import NomockError
from nomock.mutation.functions import Told
from nomock.mutation.live.folder import MutantsFolder, remove_all
from nomock.progress import Progress
from nomock.stack import Stack


class MutationSession:
    """A run with mutants, from the start of its stack to the end."""

    def __init__(self, settings: Settings) -> None:
        """Begin a run: its name is in the environment from here on, for compose and the workers.

        Raises ConfigError where there is no overlay.
        """
        self.run = new_run()
        self.settings = with_spy(settings, self.run)
        self.stack = Stack.of(self.settings)
        self.folder = MutantsFolder(data_dir(self.settings), self.run)
        self._data: Snapshot | None = None

    def begin(self, modules: Sequence[Told], *, limit_s: float, progress: Progress) -> None:
        """Tell the mutants, and start the stack: only services with a spy start anew.

        What earlier covered runs know stays, and what is in its PostgreSQL now comes back at the
        end. Raises NomockError.
        """
        settings, stack = self.settings, self.stack
        folder = data_dir(settings)
        services = covered(stack)

        def before_start() -> None:
            remove_all(folder)
            tell_modules(folder, services)
            self.folder.write(modules, limit_s=limit_s)
            provide_mounted(stack.project)
            provide_mounted_spy(stack.project, settings.root)

        stack.prepare(
            progress.show,
            waiting=progress.show_waiting,
            warn=progress.show_lasting,
            who="nomock test-mutation",
            before_start=before_start,
        )
        prove(settings, services, stack)
        with suppress(NomockError):  # it has no PostgreSQL, or not one that is entered
            self._data = stack.postgres.snapshot_beneath()

    def reset_data(self) -> None:
        """Bring the database back: a mutant of a DELETE may have taken what all tests need."""
        if self._data is not None:
            self._data.restore()

    def owners(self, file: Path) -> list[str]:
        """Return the services that may run a file: it is in what they are built from, or mount."""
        return [
            name
            for name, source in covered(self.stack).items()
            if not source.one_shot
            and any(
                file.is_relative_to(folder.resolve())
                for folder in (*source.folders, *source.mounts.values())
            )
        ]

    def restart(self, services: Sequence[str], waiting: Callable[[str], None]) -> None:
        """Restart services and wait until they are ready; raise NotReadyError."""
        for name in services:
            self.stack[name].restart()
        for name in services:
            waiting(name)
            self.stack.wait_ready(name)

    def end(self) -> None:
        """Let the stack go; nothing is left of the mutants, nor of what the spies wrote."""
        folder = data_dir(self.settings)
        with suppress(NomockError):  # the next snapshot takes away what is left of this one
            self.reset_data()
            if self._data is not None:
                self._data.drop()
        remove_all(folder)
        for records in folder.glob(RECORDS):
            if f".{self.run}." in records.name:
                records.unlink(missing_ok=True)
        self.stack.close()
        os.environ.pop(RUN_VARIABLE, None)
