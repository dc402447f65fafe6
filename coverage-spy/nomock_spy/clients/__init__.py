"""Where each client library lets a request be given the baggage of the test; one file each."""

from __future__ import annotations

from collections.abc import Iterable

from nomock_spy.baggage import with_origin
from nomock_spy.contexts import current


def baggage_of_the_test(existing: Iterable[str]) -> str | None:
    """Return the one baggage header that a request is to be sent with, by those that it has.

    None where nothing is to be done: it is sent for no test, or names its test itself.
    """
    origin = current.get().origin
    if origin is None:
        return None
    header = ",".join(existing)
    merged = with_origin(header, origin)
    return None if merged == header else merged
