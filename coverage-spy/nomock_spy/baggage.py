"""The test that a request belongs to, read from its W3C baggage and written into it.

https://www.w3.org/TR/baggage/ : members ``key=value``, each with optional ``;properties``, joined
by commas; values are percent-encoded UTF-8.
"""

from __future__ import annotations

# What everybody on the way has to pass on: https://www.w3.org/TR/baggage/#limits
MOST_BYTES = 8192
MOST_MEMBERS = 64

_TEST = "nomock.test"
_FAULT = "nomock.fault"
_RUN = "nomock.run"
_MUTANT = "nomock.mutant"


class Origin(tuple[str, str, str, str]):
    """What a request says of where it comes from: a named tuple, for which nothing is loaded."""

    __slots__ = ()

    def __new__(cls, test: str, fault: str, run: str = "", mutant: str = "") -> Origin:
        """Return one of a test's node id, and the fault that was on; empty without one.

        The same test of another ``run``, or with another ``mutant``, is another origin: what it
        runs is news once more.
        """
        return tuple.__new__(cls, (test, fault, run, mutant))

    @property
    def test(self) -> str:
        """The test's node id."""
        return self[0]

    @property
    def fault(self) -> str:
        """The fault that was on when it was sent; empty without one."""
        return self[1]

    @property
    def run(self) -> str:
        """The name of the run, as the header has it; empty without one."""
        return self[2]

    @property
    def mutant(self) -> str:
        """The mutants that are on for it, ``ID-ID.UNTIL``; empty without one."""
        return self[3]

    def __repr__(self) -> str:
        mutant = f", mutant={self.mutant!r}" if self.mutant else ""
        return f"Origin(test={self.test!r}, fault={self.fault!r}, run={self.run!r}{mutant})"


def origin_of(header: str) -> Origin | None:
    """Return the test that a baggage header names; None without one, and for what is not ours.

    Of a key that is there twice the first one counts, as in the harness and in the logs.

    >>> origin_of("user=1, nomock.test=tests%2Ftest_a.py%3A%3Atest_b;ttl=9")
    Origin(test='tests/test_a.py::test_b', fault='', run='')
    """
    if _TEST not in header or len(header) > MOST_BYTES:
        return None
    members = _members(header)
    try:
        test = _decoded(members.get(_TEST, ""))
        fault = _decoded(members.get(_FAULT, ""))
    except ValueError:
        return None
    # A pytest node id has a file and a name; whatever else uses our key is not a test.
    if "::" not in test:
        return None
    return Origin(test, fault, members.get(_RUN, ""), members.get(_MUTANT, ""))


def with_origin(header: str, origin: Origin) -> str:
    """Return the header with our members added; unchanged when it names a test already.

    Raises ValueError where that would pass the limits. Beyond them whoever gets the request may
    drop any member, and is free to choose which: the service's own must not be lost for ours.

    >>> with_origin("user=1;ttl=9", Origin("tests/test_a.py::test_b", ""))
    'user=1;ttl=9,nomock.test=tests%2Ftest_a.py%3A%3Atest_b'
    """
    members = _members(header)
    if _TEST in members:
        return header
    ours = f"{_TEST}={_encoded(origin.test)}"
    if origin.fault and _FAULT not in members:
        ours += f",{_FAULT}={_encoded(origin.fault)}"
    if origin.run and _RUN not in members:
        ours += f",{_RUN}={origin.run}"
    if origin.mutant and _MUTANT not in members:
        ours += f",{_MUTANT}={origin.mutant}"
    theirs = header.rstrip(", \t")
    merged = f"{theirs},{ours}" if theirs else ours
    if len(merged) > MOST_BYTES or merged.count(",") >= MOST_MEMBERS:
        raise ValueError("a request has no room for its test: its baggage is full")
    return merged


def _members(header: str) -> dict[str, str]:
    members: dict[str, str] = {}
    for member in header.split(","):
        key, _, value = member.partition("=")
        members.setdefault(key.strip(), value.partition(";")[0].strip())
    return members


# urllib.parse does the same; it takes milliseconds to load, and each process would pay.

_ESCAPES = {
    byte: f"%{byte:02X}"
    for byte in range(256)
    if not (chr(byte).isascii() and chr(byte).isalnum()) and chr(byte) not in "-._~"
}


def _encoded(text: str) -> str:
    return text.encode("utf-8").decode("latin-1").translate(_ESCAPES)


_bytes: dict[bytes, bytes] = {}
"""What escapes mean, of those that came across."""


def _byte(digits: bytes) -> bytes:
    found = _bytes.get(digits)
    if found is None:
        found = bytes.fromhex(digits.decode("ascii"))
        if len(found) != 1:
            raise ValueError(digits)
        _bytes[digits] = found
    return found


def _decoded(value: str) -> str:
    data = value.encode("ascii")
    if b"%" in data:
        first, *escaped = data.split(b"%")
        data = first
        for part in escaped:
            data += _byte(part[:2]) + part[2:]
    text = data.decode("utf-8")
    # Not all that is unprintable is a control character: new letters are, to an old Python.
    if not text.isprintable() and any(c < " " or "\x7f" <= c < "\xa0" for c in text):
        raise ValueError(value)
    return text
