"""One breach of a contract between parts of a project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What does not fit, where each side of it stands, and what to do."""

    service: str
    variable: str
    what: str
    """What is wrong, as a sentence; the value of a variable is no part of it, it may be secret."""
    setter: str
    """Where the variable is set, as ``compose.yaml:12``; "" where nothing sets it."""
    reader: str
    """Where it is read, as ``app/settings.py:8``; "" where nothing reads it."""
    cure: str
    is_certain: bool = True
    """Whether the service fails or does something else than is meant; False: it may."""

    def __str__(self) -> str:
        places = [
            f"{word} {place}"
            for word, place in (("set at", self.setter), ("read at", self.reader))
            if place
        ]
        where = f" ({', '.join(places)})" if places else ""
        return f"{self.service}: {self.what}{where}"
