"""Activities: the stretches of a service's work that are done for one test, such as a request.

What finds them (the hooks of the servers, a job's audit event) calls ``begin``, and on what that
returns ``flush`` before each part of the answer leaves, and ``end``. Who has a part may be the last
to ask for anything, so what runs behind the first flush is written line by line.
"""

from __future__ import annotations

from nomock_spy.baggage import Origin, origin_of
from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.cores import Core
from nomock_spy.guard import swallow
from nomock_spy.hints import Callable

# As many tests as may be in flight at once, and some more; a test that was forgotten is begun
# anew, which costs a few bytes of records.
_MOST_REMEMBERED = 64

_core: Core | None = None
_contexts: dict[Origin, Context] = {}
_frameworks: set[str] = set()
_by_header: dict[str, Context] = {}
"""What the headers that came last mean: the requests of a test bring the same."""
_switch_on: Callable[[Context], None] | None = None
"""Makes ready the mutant that a context has, where this process may have any."""


def use(core: Core) -> None:
    """Tell whom the activities of this process are reported to."""
    global _core
    _core = core


def use_mutants(switch_on: Callable[[Context], None]) -> None:
    """Tell what makes the mutants ready that requests name; without it they mean nothing."""
    global _switch_on
    _switch_on = switch_on


class Activity:
    """Some work of the service for no test: nothing is to be done about it."""

    __slots__ = ()

    def flush(self) -> None:
        """Put on disk what ran so far, and from now on at once."""

    def end(self) -> None:
        """Put on disk all that ran."""
        current.set(BACKGROUND)


class TestActivity(Activity):
    """Some work of the service for a test."""

    __slots__ = ("_context", "_core", "_write_through")

    def __init__(self, core: Core, context: Context, *, write_through: bool) -> None:
        self._core = core
        self._context = context
        self._write_through = write_through
        core.began(self, context, write_through=write_through)

    def flush(self) -> None:
        """Put on disk what ran so far, and from now on at once."""
        try:
            if not self._write_through:
                self._write_through = True
                self._core.turned_write_through(self, self._context)
            self._core.flush(self._context)
        except BaseException as error:
            swallow(error)

    def end(self) -> None:
        """Put on disk all that ran, and leave the test's context."""
        try:
            current.set(BACKGROUND)
            self._core.ended(self, self._context)
        except BaseException as error:
            swallow(error)


NO_TEST = Activity()


def begin(baggage: str, *, write_through: bool = False) -> Activity:
    """Begin an activity for the test that a baggage header names, if it names one.

    From here on this thread or task is in its context. Without a test it is in none, which has
    to be set, too: what served the last request may serve this one.
    https://github.com/python/cpython/issues/140947
    """
    try:
        context = _by_header.get(baggage) or _context_named_by(baggage)
        if context is None or _core is None:
            current.set(BACKGROUND)
            return NO_TEST
        current.set(context)
        return TestActivity(_core, context, write_through=write_through)
    except BaseException as error:
        swallow(error)
        return NO_TEST


def found_server(name: str) -> None:
    """Tell that the requests of a server begin and end activities."""
    try:
        if _core is not None:
            _core.server(name)
    except BaseException as error:
        swallow(error)


def found_framework(name: str) -> None:
    """Tell the same of what has the requests of a server that is not known; once for each."""
    if name not in _frameworks:
        _frameworks.add(name)
        found_server(name)


def _context_named_by(baggage: str) -> Context | None:
    origin = origin_of(baggage)
    if origin is None:
        return None
    if len(_by_header) >= _MOST_REMEMBERED:
        _by_header.clear()
    context = _by_header[baggage] = _context_of(origin)
    return context


def _context_of(origin: Origin) -> Context:
    context = _contexts.pop(origin, None)
    if context is None:
        context = Context(origin)
        if origin.mutant and _switch_on is not None:
            _switch_on(context)
    _contexts[origin] = context  # last: the one that was used last is forgotten last
    while len(_contexts) > _MOST_REMEMBERED:
        _contexts.pop(next(iter(_contexts)), None)
    return context
