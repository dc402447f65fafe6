"""Numbers as words of the page."""

from __future__ import annotations

from datetime import UTC, datetime


def count(number: int, word: str) -> str:
    """Return a number of things.

    >>> count(1, "test"), count(2, "test")
    ('1 test', '2 tests')
    """
    return f"{number} {word}" + ("" if number == 1 else "s")


def share(part: float | None) -> str:
    """Return a share of 0 to 1 as a percentage; a dash where there is none.

    >>> share(0.999)  # not all of it
    '99 %'
    """
    return "-" if part is None else f"{int(part * 100 + 1e-9)} %"


def seconds(took_s: float | None) -> str:
    """Return a time; "" where there is none."""
    if took_s is None:
        return ""
    return f"{took_s:.2f} s" if took_s < 10 else f"{took_s:.0f} s"


def moment(when: str) -> str:
    """Return a moment of ISO 8601 in the words of a reader.

    >>> moment("2026-11-30T19:00:00+01:00")
    '2026-11-30 18:00 UTC'
    """
    return f"{datetime.fromisoformat(when).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
