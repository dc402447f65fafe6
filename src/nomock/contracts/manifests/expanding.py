"""``$(NAME)`` in a value or a command, as Kubernetes puts variables in.

https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"\$\$|\$\(([^()]+)\)")
# In a command, or a text that a shell runs, others are the shell's: $(date).
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True)
class Expanded:
    """A text, with its variables put in."""

    text: str
    used: tuple[str, ...]
    """The names of those."""
    unset: tuple[str, ...]
    """The names that nothing is known of: each stays as it is."""
    has_references: bool
    """Whether there is a ``$(NAME)`` in it still: of those, or of one that was to stay."""


def expand(text: str, known: Mapping[str, str]) -> Expanded:
    """Return a text with the variables put in that it names.

    >>> expand("http://$(HOST):$(PORT)", {"HOST": "api"})
    Expanded(text='http://api:$(PORT)', used=('HOST',), unset=('PORT',), has_references=True)
    >>> expand("$$(HOST)", {"HOST": "api"}).text
    '$(HOST)'
    """
    used: dict[str, None] = {}
    unset: dict[str, None] = {}
    has_references = False

    def put_in(found: re.Match[str]) -> str:
        nonlocal has_references
        if found[0] == "$$":
            has_references |= text.startswith("(", found.end())
            return "$"
        if found[1] in known:
            used[found[1]] = None
            return known[found[1]]
        has_references = True
        unset[found[1]] = None
        return found[0]

    put = _REFERENCE.sub(put_in, text)
    return Expanded(put, tuple(used), tuple(unset), has_references)


def is_variable(name: str) -> bool:
    """Tell whether a name is written as variables are, and so can be meant as nothing else.

    >>> is_variable("DB_HOST"), is_variable("date")
    (True, False)
    """
    return _VARIABLE.fullmatch(name) is not None
