"""The test that a request belongs to, read from its W3C baggage and written into it.

https://www.w3.org/TR/baggage/ : members ``key=value``, each with optional ``;properties``, joined
by commas; values are percent-encoded UTF-8.
"""

from __future__ import annotations

from typing import NamedTuple

# The longest header that everybody has to pass on. One that is longer is not ours.
MAX_HEADER_BYTES = 8192


class Origin(NamedTuple):
    """What a request says of where it comes from."""

    test: str
    """The test's node id."""
    fault: str
    """The fault that was on when it was sent; empty without one."""


def origin_of(header: str) -> Origin | None:
    """Return the test that a baggage header names; None without one, and for what is not ours."""
    if "nomock.test" not in header or len(header) > MAX_HEADER_BYTES:
        return None
    members = {}
    for member in header.split(","):
        key, _, value = member.partition("=")
        members[key.strip()] = value.partition(";")[0].strip()
    try:
        test = _decoded(members.get("nomock.test", ""))
        fault = _decoded(members.get("nomock.fault", ""))
    except ValueError:
        return None
    # A pytest node id has a file and a name; whatever else uses our key is not a test.
    return Origin(test, fault) if "::" in test else None


def with_origin(header: str, origin: Origin) -> str:
    """Return the header with our members added; unchanged when it names a test already."""
    if "nomock.test" in header:
        return header
    members = [header.strip().strip(",")] if header.strip(" ,") else []
    members.append("nomock.test=" + _encoded(origin.test))
    if origin.fault:
        members.append("nomock.fault=" + _encoded(origin.fault))
    return ",".join(members)


# urllib.parse does the same; it takes milliseconds to load, and each process would pay.


def _decoded(value: str) -> str:
    first, *escaped = value.split("%")
    data = first.encode("ascii")
    for part in escaped:
        if len(part) < 2:
            raise ValueError(value)
        data += bytes.fromhex(part[:2]) + part[2:].encode("ascii")
    text = data.decode("utf-8")
    if not text.isprintable():
        raise ValueError(value)
    return text


def _encoded(text: str) -> str:
    return "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in "-._~" else f"%{byte:02X}"
        for byte in text.encode("utf-8")
    )
