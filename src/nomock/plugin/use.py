"""Whether a pytest process has to do with a stack; until it has, nomock does nothing in it.

It has once a chosen test uses the stack, once a test asks for the fixture by its name, or where an
option of ours is given. Until then no setting is read, nothing is asked of compose or the engine
and no file is written; this module and those that it imports are all that is loaded.

Under xdist the workers collect, and one that has a test which uses the stack leaves word of that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from nomock.plugin.items import is_serial, needs_stack_of_run, uses_stack
from nomock.plugin.options import given
from nomock.plugin.workers import Workers

if TYPE_CHECKING:  # loads whatever a stack needs
    from nomock.plugin.early_end import EarlyEnd
    from nomock.plugin.mailbox import Mailbox
    from nomock.plugin.run import Run
    from nomock.plugin.serial import Turnstile

_SUBJECT = "use"
_USES, _NEEDS = "uses", "needs"


class Use:
    """The use of stacks by one pytest process, and the hooks that see whether there is any."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.run: Run | None = None
        """The run, from ``begin`` on."""
        self.early_end: EarlyEnd | None = None
        """What hears why a run cannot go on, from then on, too."""
        self.when_begun: list[Callable[[Run], None]] = []
        self._is_worker = hasattr(config, "workerinput")
        self._has_stack = False
        """Whether any test that was collected uses the stack, chosen or not."""
        self.uses_stack = False
        """Whether any that was chosen does."""
        self._room: Path | None = None
        """In a worker: the folder in which serial tests of a run without a stack keep alone."""
        self.workers = Workers()
        """In a controller of xdist: its workers."""

    @property
    def _mailbox(self) -> Mailbox | None:
        """Under xdist: a worker leaves ``_USES`` or ``_NEEDS`` there, or why its tests cannot."""
        if not self._is_worker:
            return self.workers.mailbox
        from nomock.plugin.mailbox import Mailbox

        return Mailbox.of(self.config)

    def begin(self) -> Run:
        """Return the run; read its settings if there is none yet.

        Raises pytest's UsageError where a setting is wrong.
        """
        if self.run is None:
            from nomock.plugin.early_end import EarlyEnd
            from nomock.plugin.run import Run
            from nomock.plugin.run_end import RunEnd

            if self._is_worker and self._mailbox and self._word() is None:
                self._mailbox.leave(_SUBJECT, _USES)
            self.run = Run.of(self.config, self.workers)
            self.__dict__.pop("turnstile", None)  # from now on it is the stack's
            self.early_end = EarlyEnd(self.run)
            self.config.pluginmanager.register(self.run, "nomock-run")
            self.config.pluginmanager.register(self.run.header, "nomock-header")
            self.config.pluginmanager.register(RunEnd(self.run), "nomock-run-end")
            self.config.pluginmanager.register(self.early_end, "nomock-early-end")
            self.config.pluginmanager.register(self.run.ledgers, "nomock-ledgers")
            if given(self.config, "leaks"):
                from nomock.plugin.leak_watch import LeakWatch

                self.config.pluginmanager.register(LeakWatch(self.run), "nomock-leaks")
            if not self._is_worker:
                self.config.pluginmanager.register(self.run.unasked, "nomock-unasked")
            if not self._is_worker and self.run.settings.files:
                from nomock.plugin.results import Results

                results = Results(self.run, self.workers)
                self.config.pluginmanager.register(results, "nomock-results")
            for told in self.when_begun:
                told(self.run)
        return self.run

    def begun(self) -> Run | None:
        """Return the run if there is one, in the controller also if a worker has begun one."""
        return self.begin() if self.run or self._word() is not None else None

    @cached_property
    def turnstile(self) -> Turnstile | None:
        """The turnstile of serial tests; None where no other test can run beside one.

        Without a stack these are the tests of other workers, and nothing of it is in the folder
        of the user. Raises StateFolderError where it is one of a stack, and cannot be locked.
        """
        if self.run and self.run.settings.files:
            from nomock.errors import StateFolderError

            try:
                return self.run.turnstile
            except StateFolderError:
                if self.uses_stack:
                    raise
                # A run that needs no stack needs no folder of its state, either.
        if self._room is None:
            return None
        from nomock.plugin.serial import Turnstile

        return Turnstile(self._room)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose and order by our options, and put serial tests last where tests are parallel."""
        self._has_stack = any(map(uses_stack, items))
        if wanted := given(self.config, "serial"):
            kept = [item for item in items if is_serial(item) == (wanted == "only")]
            dropped = [item for item in items if is_serial(item) != (wanted == "only")]
            self.config.hook.pytest_deselected(items=dropped)
            items[:] = kept
        if (seed := given(self.config, "shuffle")) is not None:
            Random(seed).shuffle(items)
        if self._is_worker:
            items.sort(key=is_serial)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin if one of the tests that are left of all uses the stack.

        Also for a serial one among others that do: it waits for those in another terminal.
        """
        uses = self.uses_stack = any(map(uses_stack, session.items))
        any_serial = any(map(is_serial, session.items))
        if any_serial and self._is_worker and self._mailbox:
            self._room = self._mailbox.room
        if not (uses or (self._has_stack and any_serial)):
            return
        from nomock.plugin.chosen import refusal_of
        from nomock.plugin.naming import refused_names

        refusal = refusal_of(self.config, session.items)
        if not self._is_worker:
            refusal = refusal or refused_names(self.begin().settings, session.items)
            if refusal := refusal or self.begin().begin_lanes(session.items):
                raise pytest.UsageError(refusal)
            return
        with suppress(pytest.UsageError):  # the controller is about to say it, once
            refusal = refusal or refused_names(self.begin().settings, session.items)
            refusal = refusal or self.begin().begin_lanes(session.items)
        needs = any(map(needs_stack_of_run, session.items))
        # Where no word can be left, this worker makes the stack ready itself.
        mailbox = self._mailbox
        assert mailbox is not None, "a worker has one"
        needs = mailbox.leave(_SUBJECT, refusal or (_NEEDS if needs else _USES)) and needs
        with suppress(pytest.UsageError):  # the controller is about to say it, once
            self.begin().is_prepared_by_controller = needs

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """In the controller: make the stack ready before the first test is handed out."""
        word = self._word()
        if word is not None:
            run = self.begin()
            if word not in {_USES, _NEEDS}:
                raise pytest.UsageError(word)  # what stands in the way
            run.begin_for_workers(needs=word == _NEEDS)

    def _word(self) -> Any:
        """Return what a worker has left of its use of the stack; None without one."""
        return self._mailbox.read(_SUBJECT) if self._mailbox else None
