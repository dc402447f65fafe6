"""The lanes of a run's workers, as the process sees them that makes the first stack ready."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

from nomock.lanes.kinds import KINDS, left_lanes
from nomock.lanes.lane import Lane
from nomock.lanes.room import Room, measure
from nomock.plugin.cleaning import without_test_data
from nomock.plugin.workers import Workers
from nomock.progress import Progress
from nomock.stack import Stack


class WorkersLanes:
    """What a controller does for the lanes of its workers; nothing where there are none."""

    def __init__(self, workers: Workers, main: Callable[[], Stack]) -> None:
        """``main`` gives the stack of the settings."""
        self._workers = workers
        self._main = main

    def check_room(self) -> None:
        """Raise ConfigError for more lanes than the engine's machine has memory for."""
        if self._main().settings.lanes != "shared":
            Room(self._main()).check(self._workers.count, self._main().settings.lanes)

    def tell(self, word: str) -> None:
        """Let workers begin with the lanes that wait for this: ``built``, ``ready``."""
        if self._workers.mailbox is not None:
            self._workers.mailbox.leave(word, True)

    def begin(self) -> None:
        """The first stack is ready, and no test has used it: let its lanes begin."""
        self.tell("built")  # where that was done before there were workers
        mailbox = self._workers.mailbox
        for kind in (mailbox.read("kinds") if mailbox is not None else None) or ():
            KINDS[kind].begin(self._main(), partial(without_test_data, self._main()))
        self.tell("ready")

    @cached_property
    def used(self) -> list[Lane]:
        """The lanes that workers had, which have ended."""
        if not self._workers.lanes:
            return []
        found = [lane for lane in left_lanes(self._main()) if lane.name in self._workers.lanes]
        for lane in found:
            lane.stack.ready_s = self._workers.lanes[lane.name]
        return found

    def measure(self) -> None:
        """Remember what a stack takes, so that the next run knows how many fit."""
        if self.used:
            measure(self._main())

    def remove(self, progress: Progress) -> None:
        """Take all lanes down, also those of a worker that was killed, which said nothing."""
        for lane in left_lanes(self._main()):
            lane.remove(progress=progress.show, waiting=progress.show_waiting)
