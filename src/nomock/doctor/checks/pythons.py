"""Python services that the coverage spy cannot see."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each service with a Python of which no line would be reported."""
    for found in seen.pythons:
        # Whose command is not Python, as far as anybody can tell, has no lines to show.
        if found.reason and found.python is not None and not found.is_doubtful:
            service = seen.project.service(found.service)
            yield Trouble(
                seen.place(service, "command"),
                f"{found.service} cannot be covered: {found.reason}",
                "a run with coverage shows no line of it",
                "nomock docs coverage has the cure of each reason",
                is_certain=False,
            )
