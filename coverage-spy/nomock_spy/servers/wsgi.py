"""Applications that speak WSGI: https://peps.python.org/pep-3333/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextvars import Context, copy_context
from typing import Any

from nomock_spy.activities import NO_TEST, Activity, begin
from nomock_spy.contexts import BACKGROUND, current

Environ = MutableMapping[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def wrap(app: Application) -> Application:
    """Return the application with each request as an activity."""
    if getattr(app, "nomock_spied", False):  # one server runs another
        return app

    def spied(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        activity = begin(environ.get("HTTP_BAGGAGE", ""))
        if activity is NO_TEST:
            return app(environ, start_response)

        def start(*arguments: Any, **named: Any) -> Callable[[bytes], Any]:
            write = start_response(*arguments, **named)

            def write_what_is_on_disk(data: bytes) -> Any:
                activity.flush()
                return write(data)

            return write_what_is_on_disk

        try:
            body = app(environ, start)
        except BaseException:
            activity.end()
            raise
        if isinstance(body, (list, tuple)) or _is_file(body, environ):  # nothing of it is to run
            activity.end()
            return body
        made_later = _Body(body, activity)
        current.set(BACKGROUND)
        return made_later

    spied.nomock_spied = True  # type: ignore[attr-defined]
    return spied


def _is_file(body: object, environ: Environ) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Body:
    """A body that is made while it is sent: that runs code of the app, for the same test.

    The server asks for the parts from wherever it is, so they are made in the context that the
    app was called in.
    """

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
