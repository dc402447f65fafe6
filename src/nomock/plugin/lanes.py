"""Which lane each test of a worker runs on, and when that is made ready.

The controller of xdist makes the stack of the settings ready, and numbers its workers. A worker
makes its own lanes ready itself: as soon as all images are there where each of its tests needs
one, else when the first test does. Without xdist nobody is beside a test: it has the stack.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from threading import Thread

import pytest

from nomock.errors import ConfigError, NomockError
from nomock.lanes.kinds import KINDS
from nomock.lanes.lane import Lane
from nomock.lanes.room import Room
from nomock.plugin.chosen import settings_of
from nomock.plugin.items import lane_of, needs_stack_of_run
from nomock.plugin.mailbox import Mailbox
from nomock.plugin.serial import Turnstile
from nomock.plugin.workers import NUMBER, USED
from nomock.polling import wait_until
from nomock.stack import Stack

# A worker looks whether the controller has built; it ends with that one.
_PATIENCE_S = 3600.0


def kind_of(item: pytest.Item) -> str:
    """Return the kind of lane that a test needs; raise ConfigError for a mark that names none."""
    kind = lane_of(item)
    if kind is None or kind not in KINDS:
        raise ConfigError(
            "this mark names no kind of lane",
            where=item.nodeid,
            seen=str(item.get_closest_marker("lane")),
            todo=f'one of: {", ".join(KINDS)}; such as @pytest.mark.lane("stack")',
        )
    return kind


def refuse_lanes(kinds: Sequence[str]) -> None:
    """Raise ConfigError where a test of a sandbox is marked as one that needs a lane."""
    for kind in kinds:
        if kind != "shared":
            raise ConfigError(
                "a sandbox has no lanes: all workers share it",
                where="tests on a sandbox",
                seen=f'a test has the mark lane("{kind}")',
                todo="run it without -n, or on compose",
            )


def refuse_leaks(items: Iterable[pytest.Item], workers: int) -> None:
    """Raise ConfigError where tests of other workers would be taken for a test's own leaks."""
    for item in items:
        if workers > 1 and needs_stack_of_run(item) and kind_of(item) == "shared":
            raise ConfigError(
                "what one test leaves cannot be told: all workers share the stack",
                where=item.nodeid,
                seen=f"--nomock-leaks, {workers} workers, lanes = 'shared'",
                todo="run without -n, or let each worker have its own: --nomock-lanes database "
                "(or stack)",
            )


def usual_count(config: pytest.Config) -> int | None:
    """Return how many workers ``-n auto`` has, so that each has a lane; None: that is not ours.

    Somebody else may have said so: by xdist's variable, or in a hook of their own.
    """
    hook = config.hook.pytest_xdist_auto_num_workers
    others = {"xdist", "nomock"}
    said = any(impl.plugin_name not in others for impl in hook.get_hookimpls())
    if said or "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    try:
        settings = settings_of(config)
        return Room(Stack.of(settings)).usual if settings.lanes != "shared" else None
    except NomockError:
        return None  # the run itself is about to say it


class Lanes:
    """The lanes of one pytest process: of a worker, of a controller, or of a run without xdist."""

    def __init__(
        self, config: pytest.Config, main: Callable[[], Stack], prepare: Callable[[Lane], None]
    ) -> None:
        """``main`` gives the stack of the settings, ``prepare`` makes another one ready."""
        self._config = config
        self._main = main
        self._prepare = prepare
        self._lanes: dict[str, Lane] = {}
        self._turnstiles: dict[str, Turnstile] = {}
        self._mains_kind = "shared"
        """The kind of which worker 1 has the stack of the settings: nobody else uses that."""
        self._early: _Early | None = None
        self._failed: dict[str, NomockError] = {}
        """Kind -> why its lane is not ready."""
        self.is_reset = False
        """Whether a test of this process wants its database as it was."""
        # xdist gives a worker's config this attribute, which pytest's type does not have.
        is_worker = hasattr(config, "workerinput")
        self.number: int = config.workerinput[NUMBER] if is_worker else 0  # type: ignore[attr-defined]
        """Which worker this is, from 1 on; 0 without xdist, where nobody is beside a test."""

    def lane(self, kind: str) -> Lane:
        """Return the lane of a kind that this process has."""
        chosen = "shared" if self._has_main(kind) else kind
        if chosen not in self._lanes:
            self._lanes[chosen] = KINDS[chosen](self._main(), self.number)
            self._lanes[chosen].is_reset = self.is_reset
        return self._lanes[chosen]

    def turnstile(self, kind: str) -> Turnstile:
        """Return the turnstile of the tests that use anything of the stack that a kind uses.

        Raises StateFolderError where it cannot be locked.
        """
        main, shares = self._main(), self.lane(kind).shares
        if shares not in self._turnstiles:
            self._turnstiles[shares] = Turnstile(main.settings.state_dir / "serial" / shares)
        return self._turnstiles[shares]

    def begin(self, kinds: Sequence[str]) -> None:
        """In a worker that has collected: see who has the first stack, and begin with its own.

        ``kinds`` are those of its tests that use the stack. Raises ConfigError where there can be
        no second stack.
        """
        if "shared" not in kinds:
            self._mains_kind = "stack" if set(kinds) == {"stack"} else "database"
        is_own = len(set(kinds)) == 1 and not self._has_main(kinds[0])
        # No more lanes than tests: of the workers the first ones get them.
        if is_own and self.number <= len(kinds):
            lane = self.lane(kinds[0])
            self._early = _Early(lane, self._prepare, Mailbox.of(self._config))

    def _has_main(self, kind: str) -> bool:
        return kind == "shared" or self.number == 0 or (self.number, kind) == (1, self._mains_kind)

    def ready(self, kind: str) -> Stack:
        """Return the stack of this process for a kind of lane, ready; raise NomockError.

        Where it could not be made so it is not tried again: the same error is raised.
        """
        if kind in self._failed:
            raise self._failed[kind]
        lane = self.lane(kind)
        try:
            if self._early is not None and self._early.lane is lane:
                self._early.join()
            if lane.is_own and lane.stack.ready_s is None:
                self._prepare(lane)
        except NomockError as error:
            self._failed[kind] = error
            raise
        return lane.stack

    def end(self) -> None:
        """In a worker that is done: say which stacks it had, and let them go."""
        for lane in self._lanes.values():
            if not (lane.is_own and lane.is_made):
                continue
            if lane.stack.ready_s is not None:
                used = self._config.workeroutput.setdefault(USED, {})  # type: ignore[attr-defined]
                used[lane.stack.name] = lane.stack.ready_s
            lane.stack.close()


class _Early:
    """Makes a lane ready beside the collection and the first tests of others."""

    def __init__(self, lane: Lane, prepare: Callable[[Lane], None], mailbox: Mailbox) -> None:
        self.lane = lane
        self._prepare = prepare
        self._mailbox = mailbox
        self._error: NomockError | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until it is done; raise what it raised."""
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        wait_until(
            lambda: self._mailbox.read(self.lane.begins_when), within_s=_PATIENCE_S, pause_s=0.02
        )
        try:
            self._prepare(self.lane)
        except NomockError as error:
            self._error = error
