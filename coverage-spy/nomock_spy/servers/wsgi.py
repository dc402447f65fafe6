"""Applications that speak WSGI: https://peps.python.org/pep-3333/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextvars import Context, copy_context
from typing import Any

from nomock_spy.activities import NO_TEST, Activity, begin, found_framework
from nomock_spy.contexts import BACKGROUND, current
from nomock_spy.guard import swallow
from nomock_spy.standins import called_as, stand_in

Environ = MutableMapping[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def wrap(app: Application) -> Application:
    """Return the application with each request as an activity.

    However else it is called, it does what it does.
    """

    def call(*arguments: Any, **named: Any) -> Any:
        if len(arguments) != 2 or named:
            return app(*arguments, **named)
        return _serve(app, *arguments)

    spied: Application = called_as(app, call)
    return spied


def method(framework: str, call: Any) -> Callable[..., Any]:
    """Return a framework's ``__call__`` with what no server has begun as an activity."""

    def call_in_activity(self: Any, *arguments: Any, **named: Any) -> Any:
        if current.get() is BACKGROUND and len(arguments) == 2 and _baggage(arguments[0]):
            found_framework(framework)
            return _serve(lambda *both: call(self, *both), *arguments)
        return call(self, *arguments, **named)

    return call_in_activity


def _serve(app: Application, environ: Environ, start_response: Callable[..., Any]) -> Any:
    activity = begin(_baggage(environ))
    if activity is NO_TEST:
        return app(environ, start_response)
    try:
        body = app(environ, _flushing(activity, start_response))
    except BaseException:
        activity.end()
        raise
    if not isinstance(body, (list, tuple)) and not _is_file(body, environ):
        try:
            activity.flush()  # what makes it and closes it may wait for ever
            made_later = _later(body, activity)
            current.set(BACKGROUND)
        except BaseException as error:
            swallow(error)
        else:
            return made_later
    activity.end()  # nothing of it is to run
    return body


def _baggage(environ: Environ) -> str:
    try:
        found: str = environ.get("HTTP_BAGGAGE", "")
    except BaseException as error:
        swallow(error)
        return ""
    return found


def _flushing(activity: Activity, start_response: Callable[..., Any]) -> Callable[..., Any]:
    def start(*arguments: Any, **named: Any) -> Callable[[bytes], Any]:
        write = start_response(*arguments, **named)

        def write_what_is_on_disk(data: bytes) -> Any:
            activity.flush()
            return write(data)

        return write_what_is_on_disk

    try:
        flushing: Callable[..., Any] = called_as(start_response, start)
    except BaseException as error:
        swallow(error)
        return start_response
    return flushing


def _is_file(body: object, environ: Environ) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


def _later(body: Iterable[bytes], activity: Activity) -> Any:
    """Return a body that is made while it is sent: that runs code of the app, for the same test.

    The server asks for the parts from wherever it is, so they are made in the context that the
    app was called in. What else it asks of the body, such as its length, the app's says.
    """
    parts = _Parts(body, activity)
    doing: dict[str, Callable[..., Any]] = {"__iter__": parts.__iter__, "close": parts.close}
    if hasattr(body, "__next__"):
        doing["__next__"] = parts.__next__
    return stand_in(body, **doing)


class _Parts:
    """The parts of a body, each made in the context of its activity."""

    def __init__(self, body: Iterable[bytes], activity: Activity) -> None:
        self._body = body
        self._activity = activity
        self._context: Context = copy_context()
        self._parts: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._parts is None:
            self._parts = self._context.run(iter, self._body)
        try:
            return self._context.run(next, self._parts)
        finally:
            self._activity.flush()

    def close(self) -> None:
        """Let the app close its body; the server calls this when it is done, or has given up."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                self._context.run(close)
        finally:
            self._activity.end()
