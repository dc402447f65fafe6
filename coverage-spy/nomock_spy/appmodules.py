"""The app's modules that are installed like other people's: ``pip install .`` in the image.

nomock sees in the build context which these are, and says so in the folder of the data.
"""

from __future__ import annotations

import os
from typing import Any

from nomock_spy.guard import say

FILE = "app-modules.json"
"""``{"shop": ["till", "company.goods"]}``: modules and packages, by service."""


def modules_of(out: str, service: str) -> tuple[str, ...]:
    """Return the installed modules that are a service's own; none where nothing is said of it."""
    try:
        fd = os.open(f"{out}/{FILE}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        text = os.read(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)
    # Most often a service has none, and json takes milliseconds to load.
    if service.isascii() and f'"{service}"'.encode() not in text:
        return ()
    import json

    try:
        said: Any = json.loads(text)
        return tuple(map(str, said.get(service, ())))
    except (ValueError, AttributeError, TypeError) as error:
        say(f"not reading which modules are the app's: {FILE}: {error}")
        return ()
