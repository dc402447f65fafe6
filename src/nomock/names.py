"""Names of test data: they begin with "TEST ", and say of which run, worker and test they are.

``TEST tkx3f2a9q.1 client test_it_should_work 9c3e1``: the run's id begins with the second in
which the run began, so that a name alone tells how old what it names is.
"""

from __future__ import annotations

import re
import secrets
from itertools import count
from time import time

PREFIX = "TEST "
LENGTH = 63
"""How long a name is at the most where nobody says: PostgreSQL's own names are no longer."""
OWNER = rf"^{PREFIX}([0-9a-z]{{9,10}})\.[0-9]+ "
"""What finds the run of a name, in Python and in PostgreSQL."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RANDOM = 3  # digits of an id that are no time
_LEAST = 32
_process = secrets.token_hex(2)
_numbers = count(1)


def new_run() -> str:
    """Return the id of a run that begins now."""
    return _base36(int(time())) + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))


def make(what: str, run: str, worker: int, test: str, length: int = LENGTH) -> str:
    """Return a name that nothing else has; of a test's id its last part, as far as there is room.

    Raises ValueError where the length has no room for what makes it unique.
    """
    begin, end = f"{PREFIX}{run}.{worker} ", f"{_process}{next(_numbers):x}"
    room = max(length - len(begin) - len(end) - 1, 0)
    if length < _LEAST:
        raise ValueError(f"a name of {length} characters says nothing: {_LEAST} at the least")
    said = " ".join(part for part in (what, test.rpartition("::")[2]) if part)
    said = "".join(char if char.isprintable() else "_" for char in said)[:room].rstrip()
    return f"{begin}{said} {end}" if said else f"{begin}{end}"


def run_of(name: str) -> str:
    """Return the id of the run that made a name, "" where it says none.

    >>> run_of("TEST tkx3f2a9q.1 client 9c3e1"), run_of("TEST client")
    ('tkx3f2a9q', '')
    """
    found = re.match(OWNER, name)
    return found[1] if found else ""


def age_s(run: str) -> float | None:
    """Return how long ago a run began, in seconds, by its id.

    None where there is none, or where it is of the future: the clock was set back since.
    """
    try:
        age = time() - int(run[:-_RANDOM], 36)
    except ValueError:
        return None
    return age if age >= 0 else None


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
