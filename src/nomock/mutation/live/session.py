"""The stack with the spy on and a run's mutants told, and what each worker's own is told."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nomock.config import Settings
from nomock.coverage.harvest import new_run, tell_modules
from nomock.coverage.harvest.folder import RECORDS
from nomock.coverage.overlay import provide_mounted_spy
from nomock.coverage.overlay.wheels import provide_mounted
from nomock.coverage.session import RUN_VARIABLE, covered, data_dir, prove, with_spy
from nomock.lanes.obstacles import obstacles
from nomock.lanes.replica import check
from nomock.lanes.room import Room
from nomock.mutation.functions import Told
from nomock.mutation.live.folder import MutantsFolder, remove_all
from nomock.progress import Progress
from nomock.stack import Stack

_WORTH_A_STACK = 100
"""For how many mutants another stack is started."""


class MutationSession:
    """A run with mutants, from the start of its stack to the end."""

    def __init__(self, settings: Settings, mutants: int, workers: int | None) -> None:
        """Begin a run: its name is in the environment from here on, for compose and the workers.

        ``mutants``: how many are to be tried. ``workers``: as many as that is worth by default.
        Raises ConfigError where there is no overlay, or cannot be a stack for each worker.
        """
        self.runs = [new_run()]
        """The names of the workers' runs: each worker's services are told another one."""
        self.settings = with_spy(settings, self.runs[0])
        self.stack = Stack.of(self.settings)
        count = self._usual(mutants) if workers is None else workers
        if count > 1:
            one = "try one mutant at a time: --workers 1"
            check(self.stack, otherwise=one)
            Room(self.stack).check(count, "stack", flag="--workers", otherwise=one)
        self.runs += [new_run() for _ in range(1, count)]

    def _usual(self, mutants: int) -> int:
        """Return how many workers are worth a stack each; one where there can be no second."""
        settings = self.settings
        if obstacles(self.stack.project, settings.state_dir):
            return 1
        return max(1, min(Room(self.stack).usual, mutants // _WORTH_A_STACK))

    def begin(self, modules: Sequence[Told], *, limit_s: float, progress: Progress) -> None:
        """Tell the mutants, and start the stack: only services with a spy start anew.

        What earlier covered runs know stays. Raises NomockError.
        """
        settings, stack = self.settings, self.stack
        folder = data_dir(settings)
        services = covered(stack)

        def before_start() -> None:
            remove_all(folder)
            tell_modules(folder, services)
            for run in self.runs:
                MutantsFolder(folder, run).write(modules, limit_s=limit_s)
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

    def end(self) -> None:
        """Let the stack go; nothing is left of the mutants, nor of what the spies wrote."""
        folder = data_dir(self.settings)
        remove_all(folder)
        for records in folder.glob(RECORDS):
            if any(f".{run}." in records.name for run in self.runs):
                records.unlink(missing_ok=True)
        self.stack.close()
        os.environ.pop(RUN_VARIABLE, None)
