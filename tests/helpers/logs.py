"""What services log: a line of JSON each time."""

import json
from datetime import datetime
from typing import Any

from nomock import Service


def logged(service: Service, words: str, since: datetime | None = None) -> list[dict[str, Any]]:
    """Return the lines with some words that a service has logged, all or since a moment."""
    lines = service.logs(since=since).splitlines()
    return [json.loads(line) for line in lines if words in line]
