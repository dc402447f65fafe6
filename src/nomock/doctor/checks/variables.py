"""Variables that the compose files use and nobody sets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble
from nomock.project import place

_NAME = re.compile(r'"([A-Za-z_]\w*)\\?"')


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each variable that compose warned of."""
    for warning in seen.project.unset:
        found = _NAME.search(warning)
        name = found[1] if found else "a variable"
        yield Trouble(
            place(seen.project, "", name).removesuffix(": ") or "compose files",
            f"{name} is not set",
            "compose puts nothing in its place, and a service may start with that",
            f"set it in .env, or write a default: ${{{name}:-value}}",
        )
