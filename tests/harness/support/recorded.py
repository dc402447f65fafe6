"""Records as a spy writes them, for tests that have no spy."""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Iterator
from typing import Any

HEADER: dict[str, Any] = {
    "v": 3,
    "core": "sys.monitoring",
    "branches": False,
    "service": "auth",
    "run": "r1",
    "python": "3.13.5",
    "host": "4f2a",
    "pid": 1,
    "started": 1.0,
    "unsupported": "",
}
TEST_A, TEST_B = "tests/test_x.py::test_a", "tests/test_x.py::test_b[1]"


def records(*more: dict[str, Any], **header: Any) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in ({**HEADER, **header}, *more))


def context(number: int, test: str, fault: str = "") -> dict[str, Any]:
    return {"context": number, "test": test, "fault": fault}


def file(number: int, path: str, source: bytes | None = None) -> dict[str, Any]:
    """Return the record of a file, with the fingerprint of its content if given."""
    content = {} if source is None else {"size": len(source), "crc32": crc32(source)}
    return {"file": number, "path": path, **content}


def lines(number: int, *ran: int, context: int = 0, **more: Any) -> dict[str, Any]:
    """Return the record of some lines of a file that ran."""
    bitmap = f"{sum(1 << line for line in ran):x}"
    return {"in": context, "at": 5.0, "lines": {str(number): bitmap}, **more}


def ran(number: int, path: str, *numbers: int, source: str | None = None) -> Iterator[Any]:
    """Yield the records of a file that ran in no context."""
    yield file(number, path, None if source is None else source.encode())
    yield lines(number, *numbers)


CANARY = [
    context(90, "nomock.canary"),
    file(90, "/nomock-spy/nomock_spy/cores/canary.py"),
    lines(90, 12, context=90),
    {"canary": 90, "context": 90, "hit": 12, "missed": 14},
]
