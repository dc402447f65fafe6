"""queue.Queue: a consumer that a test started does with each item what belongs to who put it.

Such a thread is started for the first item, and lives as long as the process. A queue may as well
be a pool of connections, of which nothing follows. So a consumer is a thread that a test started,
and its queue the first that it takes something from; a LifoQueue is none.
"""

from __future__ import annotations

from contextvars import ContextVar
from weakref import ref

from nomock_spy.contexts import BACKGROUND, Context, current, inherited
from nomock_spy.guard import swallow
from nomock_spy.hints import Any, Callable
from nomock_spy.standins import replace

_CONTEXTS = "nomock_contexts"
"""Where a queue keeps the contexts in which its items were put, by ``id``: these are not ours."""
# Of items that are in a queue at once. What is taken by other ways than ours stays there.
_MOST_KEPT = 10_000
_own_queue: ContextVar[Callable[[], object]] = ContextVar("nomock_spy_own_queue")
"""Returns the queue that this thread consumes."""
_taken: ContextVar[Context | None] = ContextVar("nomock_spy_taken", default=None)
"""The context of the item that it took last; None where none was of a test yet."""


def install(module: Any) -> None:
    """Let queue.Queue carry the context of each item, also where a subclass orders them anew."""
    replace(module.Queue, "put", lambda put: _putting(put, module.LifoQueue))
    replace(module.Queue, "get", _getting)


def _putting(put: Any, pool: type) -> Callable[..., Any]:
    def put_in_context(self: Any, *arguments: Any, **named: Any) -> Any:
        context = current.get()
        if context is BACKGROUND or isinstance(self, pool):
            return put(self, *arguments, **named)
        undo: Callable[[], object] = bool  # does nothing
        try:
            undo = _keep(self, arguments[0] if arguments else named["item"], context)
        except BaseException as error:
            swallow(error)
        try:
            return put(self, *arguments, **named)
        except BaseException:
            undo()
            raise

    return put_in_context


def _getting(get: Any) -> Callable[..., Any]:
    def get_and_take(self: Any, *arguments: Any, **named: Any) -> Any:
        is_own = False
        try:
            is_own = _is_consumed_here(self)
            if is_own and _taken.get() is not None:  # which is done with
                _take(BACKGROUND)
        except BaseException as error:
            swallow(error)
        item = get(self, *arguments, **named)
        try:
            context = _kept(self, item)
            if is_own and context is not None:
                _take(context)
        except BaseException as error:
            swallow(error)
        return item

    return get_and_take


def _is_consumed_here(queue: Any) -> bool:
    context = inherited.get()
    if context is BACKGROUND or current.get() is not (_taken.get() or context):
        return False  # nobody's thread, or one in which a request or a job has begun
    own = _own_queue.get(None)
    if own is None:
        own = ref(queue)
        _own_queue.set(own)
    return own() is queue


def _take(context: Context) -> None:
    current.set(context)
    _taken.set(context)


def _keep(queue: Any, item: object, context: Context) -> Callable[[], object]:
    # Before it is put: it may be taken at once.
    with queue.mutex:
        contexts = vars(queue).setdefault(_CONTEXTS, {})
        if len(contexts) > _MOST_KEPT:
            contexts.clear()
        contexts.setdefault(id(item), []).append(context)
    return lambda: _kept(queue, item)


def _kept(queue: Any, item: object) -> Context | None:
    contexts = vars(queue).get(_CONTEXTS)
    if not contexts:
        return None
    with queue.mutex:
        found = contexts.get(id(item))
        if not found:
            return None
        context: Context = found.pop(0)
        if not found:
            del contexts[id(item)]
    return context
