"""Durations as a user types them."""

from __future__ import annotations

import argparse
import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Read a number with its unit; return seconds.

    >>> duration("20m")
    1200.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: 90s, 20m, 2h, 1d")
    return float(found[1]) * _UNITS[found[2]]
