"""Names that somebody may have meant by another one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.86
# In shorter names a letter makes another word: DB_URL is no misspelt DB_USR.
_SHORTEST = 5


def near(name: str, others: Iterable[str]) -> str:
    """Return the name that is most like another one; "" where none is.

    >>> near("DATABSE_URL", ["DATABASE_URL", "REDIS_URL"])
    'DATABASE_URL'
    >>> near("AUTH_URL", ["AUTH_URI_LIST", "MCP_URL"])
    ''
    """
    rated = [(_likeness(name, other), other) for other in others if other != name]
    likeness, best = max(rated, default=(0.0, ""))
    return best if likeness >= _ALIKE and len(name) >= _SHORTEST else ""


def _likeness(one: str, other: str) -> float:
    a, b = one.upper(), other.upper()
    if sorted(a.split("_")) == sorted(b.split("_")) or a.replace("_", "") == b.replace("_", ""):
        return 1.0
    # A number or one letter more tells things of one kind apart: KEY_1, KEY_2.
    if a.rstrip("0123456789") == b.rstrip("0123456789"):
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
