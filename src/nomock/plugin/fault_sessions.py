"""The faults of a run: who may break which stack, and what is healed when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nomock import baggage
from nomock.errors import NotHealedError, SharedStackError
from nomock.faults.janitor import heal_orphaned
from nomock.faults.locking.gate import Gate
from nomock.replaying import seeds_of
from nomock.stack import Stack

if TYPE_CHECKING:  # imported when a test has faults
    from nomock.faults.active import ActiveFault
    from nomock.faults.fault import Fault
    from nomock.faults.faults import Faults
    from nomock.faults.journal import Journal
    from nomock.faults.stack_control import StackControl


class FaultSessions:
    """What one pytest process needs to break one stack; the gate is there in every run."""

    def __init__(
        self,
        stack: Stack,
        *,
        on_shared: bool,
        warn: Callable[[NotHealedError], None] = lambda error: None,
    ) -> None:
        """``warn`` is told what an earlier run left on and nobody can heal."""
        self._stack = stack
        self._on_shared = on_shared
        self._warn = warn
        self._left: list[ActiveFault] = []
        self._opened: tuple[StackControl, Journal] | None = None
        self.gate = Gate(stack)
        stack.call_before_use(self.gate.use)

    def heal_orphaned(self, say: Callable[[str], None], *, starts: bool = False) -> None:
        """Heal what processes that have ended left on the stack; no test uses it for that.

        What cannot be healed is a warning: tests without faults go on, on a stack that is ready.
        """
        try:
            heal_orphaned(self._stack, say, starts=starts)
        except NotHealedError as error:
            self._warn(error)
        finally:
            self.gate.release()

    @contextmanager
    def faults(self, files: Iterable[Path]) -> Iterator[Faults]:
        """Give a test its faults, healed at its end; ``files``: where its function may be.

        What did not bite or heal makes it an error; what did bite is kept for `nomock edges`.
        So does what was left on before and cannot be healed: it would meet both.
        """
        from nomock.faults.active import FaultSession
        from nomock.faults.faults import Faults
        from nomock.faults.usage.effects import save_effects

        control, journal = self._open()
        if left := self._still_on():
            pytest.fail(str(left), pytrace=False)
        name = baggage.current_test() or ""
        session = FaultSession(
            control,
            self.gate.claims,
            journal,
            name,
            self._admit,
            left=self._left,
            replayed=seeds_of(name),
        )
        try:
            yield Faults(session)
        finally:
            error = session.finish()
            save_effects(self._stack.settings.state_dir, name, files, session.effective)
        if error:
            pytest.fail(str(error), pytrace=False)  # nomock's own lines tell nobody anything

    @property
    def left(self) -> list[tuple[str, str]]:
        """The faults of earlier tests of this process that could not be healed: name and test."""
        return [(active.fault.name, active.test) for active in self._left]

    def close(self) -> None:
        """End what stands beside the services."""
        if self._opened:
            self._heal_again()
            control, journal = self._opened
            control.close()
            journal.close()
            self._opened = None

    def _still_on(self) -> NotHealedError | None:
        """Heal what this process or one that has ended left on; return what cannot be healed."""
        if failed := self._heal_again():
            return NotHealedError(failed, where="faults of tests before this one")
        try:
            heal_orphaned(self._stack, lambda text: None, starts=True)
        except NotHealedError as error:
            return error
        return None

    def _heal_again(self) -> dict[str, str]:
        """Heal what earlier tests of this process could not; return what still cannot be, and why.

        Whatever it is that fails, the others are healed, too.
        """
        failed = {}
        for active in self._left.copy():
            try:
                active.heal_again()
            except Exception as error:
                failed[active.fault.name] = str(error) or type(error).__name__
        return failed

    def _open(self) -> tuple[StackControl, Journal]:
        from nomock.faults.journal import Journal
        from nomock.faults.stack_control import StackControl

        if self._opened is None:
            settings = self._stack.settings
            self._opened = StackControl(self._stack), Journal(settings.state_dir, self._stack.name)
        return self._opened

    def _admit(self, fault: Fault) -> None:
        """Refuse what would hit another run; a fault that takes nothing hits only its own test."""
        control, _ = self._open()
        if self._on_shared or not fault.exclusive_parts(control):
            return
        if holders := self._stack.holding.others():
            raise SharedStackError(fault.name, stack=self._stack.name, holders=holders)
