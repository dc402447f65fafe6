"""The context of a request: which test it belongs to, carried as W3C baggage.

https://www.w3.org/TR/baggage/ : members are ``key=value`` joined by commas, values
percent-encoded. The member of nomock is ``nomock.test``; whatever else a header holds is kept.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

BAGGAGE_HEADER = "baggage"
TEST_KEY = "nomock.test"

# One test at a time runs in a process; its threads and event loops all work for it, so a plain
# module variable is right where a ContextVar would be lost in threads that the test starts.
_current_test: str | None = None


def set_current_test(test_id: str | None) -> None:
    """Say which test runs from now on; None between tests."""
    global _current_test
    _current_test = test_id


def current_test() -> str | None:
    """Return the node id of the test that runs now, or None."""
    return _current_test


def with_test(baggage: str, test_id: str | None) -> str:
    """Return the baggage header with the member of the given test added or replaced.

    >>> with_test("user=1", "tests/test_a.py::test_b")
    'user=1,nomock.test=tests%2Ftest_a.py%3A%3Atest_b'
    """
    members = [m.strip() for m in baggage.split(",") if m.strip()]
    members = [m for m in members if m.partition("=")[0].strip() != TEST_KEY]
    if test_id is not None:
        members.append(f"{TEST_KEY}={quote(test_id, safe='')}")
    return ",".join(members)


def test_of(baggage: str) -> str | None:
    """Return the test id that a baggage header carries, or None."""
    for member in baggage.split(","):
        key, separator, value = member.partition("=")
        if separator and key.strip() == TEST_KEY:
            return unquote(value.partition(";")[0].strip())
    return None
