"""Compose's durations and sizes, in Kubernetes' words."""

from __future__ import annotations

import math
import re
from typing import Any

# As Go writes a duration, which is how compose has it: https://pkg.go.dev/time#Duration.String
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_BYTES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def seconds(duration: Any, otherwise: str) -> int:
    """Return a duration in whole seconds, rounded up, at the least one; Kubernetes has no less.

    >>> seconds("500ms", "30s"), seconds(None, "1m30s")
    (1, 90)
    """
    text = str(otherwise if duration is None else duration)
    parts = re.findall(r"([\d.]+)(h|ms|us|µs|ns|m|s)", text)
    return max(1, math.ceil(sum(float(number) * _UNITS_S[unit] for number, unit in parts)))


def memory(size: Any) -> str:
    """Return a size as a quantity of memory, in the largest unit that is exact.

    >>> memory("67108864"), memory("64m"), memory(100)
    ('64Mi', '64Mi', '100')
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", str(size).strip().lower())
    if found is None:
        return str(size)
    number = int(float(found[1]) * _BYTES[found[2]])
    for unit, factor in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return str(number)


def cpu(number: Any) -> str:
    """Return a number of cores as a quantity.

    >>> cpu(0.5), cpu("2")
    ('500m', '2')
    """
    thousandths = round(float(number) * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{thousandths}m" if rest else str(whole)


def literal(text: str) -> str:
    """Return a text so that Kubernetes takes it as it is: it expands ``$(NAME)`` in commands.

    >>> literal("echo $(date) costs $5")
    'echo $$(date) costs $5'
    """
    return re.sub(r"\$(?=[$(])", "$$", text)


def number_of(quantity: str) -> float:
    """Return a quantity as a number, to compare it: bytes of memory, or cores.

    >>> number_of("64Mi") < number_of("1Gi"), number_of("500m")
    (True, 0.5)
    """
    found = re.fullmatch(r"([\d.]+)(m|Ki|Mi|Gi|)", quantity)
    if found is None:
        return math.inf
    return float(found[1]) * {"m": 1e-3, "": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}[found[2]]
