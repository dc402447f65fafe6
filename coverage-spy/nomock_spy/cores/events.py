"""Who owns the events of ``sys.monitoring``, and may switch off those that are no news.

An event that is switched off costs nothing, and is off for everybody. So it may be switched off
only for the one context that code runs for at that time, the *owner* of the events; with two tests
in flight all stay on. When the owner changes, all are switched on again, which costs as much as a
few hundred events: nothing is switched off before that many have been no news.
"""

from __future__ import annotations

import sys
from _thread import RLock

from nomock_spy.contexts import BACKGROUND, Context

# How many events may be no news to their owner before the next such one is switched off.
_MANY = 1000

if sys.version_info >= (3, 12):
    from nomock_spy.cores.undisturbed import undisturbed

    class Events:
        """Knows which activities are under way, and by that the owner."""

        def __init__(self, *, has_gil: bool = True) -> None:
            # Reentrant: a finalizer or a signal handler of the service may run while it is held.
            self._lock = RLock()
            self._running: dict[object, tuple[Context, bool]] = {}
            self.owner: Context | None = BACKGROUND
            """Whose events may be switched off; None while code of several contexts may run."""
            self._last_owner = BACKGROUND
            self._no_news = 0
            self._switched_off = False
            # Without the GIL another thread may begin a test between a look at the owner and the
            # switch.
            self._disable = sys.monitoring.DISABLE if has_gil else None

        def began(self, activity: object, context: Context, *, write_through: bool) -> None:
            """Learn that an activity began."""
            with self._lock:
                self._running[activity] = (context, write_through)
                if len(self._running) > 1:
                    self._settle(context)
                else:  # as _settle does it, for one
                    self.owner = None
                    context.write_through = write_through
                    self._hand_over(context)

        def turned_write_through(self, activity: object, context: Context) -> None:
            """Learn that what an activity runs is to be written at once from now on."""
            with self._lock:
                if activity in self._running:
                    self._running[activity] = (context, True)
                    context.write_through = True

        def ended(self, activity: object, context: Context) -> None:
            """Learn that an activity ended."""
            with self._lock:
                self._running.pop(activity, None)
                if self._running:
                    self._settle(context)
                else:
                    self.owner = None
                    context.write_through = True

        def forked(self) -> None:
            """Forget the activities of the parent, which end there."""
            self._lock = RLock()  # another thread of the parent may have held it
            for context, _ in self._running.values():
                context.write_through = True  # what of it runs here
            self._running.clear()

        @undisturbed
        def no_news(self, context: Context) -> object:
            """Take an event that is no news to its context; return what is to become of it."""
            if context is self.owner:
                self._no_news += 1
                if self._no_news > _MANY:
                    self._switched_off = True
                    # No other thread may run between this look and the switch, and begin a test
                    # that needs the event. None does: Python looks for one where a function
                    # begins and a loop goes on, and not where it returns.
                    if context is self.owner:
                        return self._disable
            elif context is BACKGROUND and self.owner is None and not self._running:
                self._take_background()
            return None

        def _settle(self, changed: Context) -> None:
            """Find out who owns the events, after an activity of a context came or went."""
            self.owner = None
            contexts = [context for context, _ in self._running.values()]
            own = [through for context, through in self._running.values() if context is changed]
            # One that writes through must not wait for another's answer.
            changed.write_through = any(own) or not own
            # With nothing running nobody does, until something runs in the background.
            if contexts and all(context is contexts[0] for context in contexts):
                self._hand_over(contexts[0])
            elif contexts:
                self._switch_on()

        def _take_background(self) -> None:
            """Let the background own the events, since its code runs, and no test's."""
            if self._lock.acquire(blocking=False):
                try:
                    if not self._running:
                        self._hand_over(BACKGROUND)
                finally:
                    self._lock.release()

        def _hand_over(self, owner: Context) -> None:
            if owner is not self._last_owner:
                self._switch_on()
                self._last_owner = owner
            self.owner = owner

        def _switch_on(self) -> None:
            self._no_news = 0
            if self._switched_off:
                self._switched_off = False
                sys.monitoring.restart_events()
