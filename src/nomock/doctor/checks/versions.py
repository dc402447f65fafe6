"""Versions of compose that lack something which nomock writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble

# Of an engine that is too old each question is refused, with its version.
# https://github.com/docker/compose/releases/tag/v2.23.1
_CONTENT_OF_CONFIGS = (2, 23, 1)


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield what a compose that is too old cannot read."""
    found = tuple(int(part) for part in re.findall(r"\d+", seen.compose_version)[:3])
    if found and found < _CONTENT_OF_CONFIGS:
        needed = ".".join(map(str, _CONTENT_OF_CONFIGS))
        yield Trouble(
            f"compose {seen.compose_version}",
            f"it is older than {needed}",
            "it cannot read what nomock edges --init writes: configs with their content",
            "update it: docs.docker.com/compose/install",
            is_certain=False,
        )
