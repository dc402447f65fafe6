"""The baggage of a request: its test, the fault that was active, and its run, as W3C has it.

https://www.w3.org/TR/baggage/ : members are ``key=value`` joined by commas, values
percent-encoded. The members of nomock are ``nomock.test``, ``nomock.fault``, ``nomock.run`` and,
where some are on for the request, ``nomock.mutant``; whatever else a header holds is kept.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterable
from urllib.parse import quote, unquote

BAGGAGE_HEADER = "baggage"
TEST_KEY = "nomock.test"
FAULT_KEY = "nomock.fault"
RUN_KEY = "nomock.run"
MUTANT_KEY = "nomock.mutant"
_OURS = {TEST_KEY, FAULT_KEY, RUN_KEY, MUTANT_KEY}

RUN = os.urandom(4).hex()
"""The name of the run, of each worker another: a test's faults and requests are made in one
process, and the same test may run in another one at the same time. A fork has its parent's: what
it asks, it asks for its parent's test."""

MOST_BYTES = 8192
"""What everybody on a header's way must let through, and many servers let no more:
https://www.w3.org/TR/baggage/#limits"""
# Encoded, each: room is left for the members of others.
_MOST_BYTES_OF_TEST = 2048
_MOST_BYTES_OF_FAULT = 512
_FAULT_MARK = "|fault="

# One test at a time runs in a process; its threads and event loops all work for it, so plain
# module variables are right where a ContextVar would be lost in threads that the test starts.
_current_test: str | None = None
_current_fault = ""
_current_mutants = ""


def set_current_test(test_id: str | None) -> None:
    """Say which test runs from now on; None between tests."""
    global _current_test
    _current_test = test_id


def current_test() -> str | None:
    """Return the node id of the test that runs now, or None."""
    return _current_test


def set_current_faults(names: Iterable[str]) -> None:
    """Say which faults are on from now on; none by an empty one."""
    global _current_fault
    _current_fault = " + ".join(sorted(names))


def current_fault() -> str:
    """Return the faults that are on now, joined; "" when there is none."""
    return _current_fault


def set_current_mutants(ids: Iterable[str], until_s: float = 0.0) -> None:
    """Say which mutants are on for what the test asks from now on; none by an empty one.

    ``until_s``: in seconds since the epoch. A job that a service goes on with has them no longer.
    """
    global _current_mutants
    named = "-".join(ids)
    _current_mutants = f"{named}.{until_s:.0f}" if named else ""


def baggage_header(baggage: str = "") -> str:
    """Return the value of the header ``baggage`` for a request that the current test makes.

    The clients of the fixture ``stack`` send it by themselves; any other client needs it, so that
    the lines which the request runs are credited to the test, and HTTP faults meet it.

    Args:
        baggage: What the request has in this header already: it is kept.

    Example:

        requests.get(url, headers={"baggage": nomock.baggage_header()})
    """
    return with_members(baggage, _current_test, _current_fault, RUN, _current_mutants)


def with_members(
    baggage: str, test_id: str | None, fault: str = "", run: str = "", mutant: str = ""
) -> str:
    """Return the baggage header with the members of the given test added or replaced.

    What others put into it stays. Where that leaves no room for ours the request goes without,
    and a warning says so: what it makes a service run belongs to no test then.

    >>> with_members("user=1", "tests/test_a.py::test_b")
    'user=1,nomock.test=tests%2Ftest_a.py%3A%3Atest_b'
    """
    members = [m.strip() for m in baggage.split(",") if m.strip()]
    theirs = [m for m in members if m.partition("=")[0].strip() not in _OURS]
    if test_id is None:
        return ",".join(theirs)
    ours = [f"{TEST_KEY}={_encoded(short(test_id))}"]
    if fault:
        ours.append(f"{FAULT_KEY}={_encoded(_fitting(fault, _MOST_BYTES_OF_FAULT, ''))}")
    if run:
        ours.append(f"{RUN_KEY}={run}")
    if mutant:
        ours.append(f"{MUTANT_KEY}={mutant}")
    header = ",".join([*theirs, *ours])
    if len(header) > MOST_BYTES:
        warnings.warn(
            f"a request's baggage has no room for its test: it would be {len(header)} bytes, "
            f"{MOST_BYTES} may pass",
            RuntimeWarning,
            stacklevel=2,
        )
        return ",".join(theirs)
    return header


def test_of(baggage: str) -> str | None:
    """Return the test id that a baggage header carries, or None."""
    return _value_of(baggage, TEST_KEY)


def run_of(baggage: str) -> str | None:
    """Return the name of the run that a baggage header carries, or None."""
    return _value_of(baggage, RUN_KEY)


def short(test_id: str) -> str:
    """Return the test id as baggage and coverage data have it: itself, if it is not very long.

    The same id is always cut the same way, another one never to the same: what is left of it
    ends with its digest.
    """
    return _fitting(test_id, _MOST_BYTES_OF_TEST, "::")


def label(test_id: str, fault: str = "") -> str:
    """Return the name of a context in coverage.py's data; "" is that of no test.

    >>> label("tests/test_a.py::test_b", "latency instances->postgres")
    'tests/test_a.py::test_b|fault=latency instances->postgres'
    """
    return f"{test_id}{_FAULT_MARK}{fault}" if fault else test_id


def test_and_fault(context: str) -> tuple[str, str]:
    """Return what ``label`` was made of."""
    test_id, mark, fault = context.rpartition(_FAULT_MARK)
    return (test_id, fault) if mark else (context, "")


def _fitting(text: str, most_bytes: int, keep: str) -> str:
    """Cut a text so that it fits when it is encoded; ``keep`` is in the result in any case."""
    if len(_encoded(text)) <= most_bytes:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]
    room = most_bytes - len(_encoded(f"{keep}~{digest}"))
    size = count = 0
    while (size := size + len(_encoded(text[count]))) <= room:
        count += 1
    begin = text[:count]
    return f"{begin}{'' if keep in begin else keep}~{digest}"


def _value_of(baggage: str, wanted: str) -> str | None:
    for member in baggage.split(","):
        key, separator, value = member.partition("=")
        if separator and key.strip() == wanted:
            return unquote(value.partition(";")[0].strip(), errors="surrogateescape")
    return None


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")
