"""The pages of a browser, as evidence.json has them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from nomock.adapters.pages import PageSeen
from nomock.evidence.redact import Redactor

# A larger picture would push the lines off the page of the run.
MOST_BYTES = 200_000


def pages_json(
    pages: Iterable[PageSeen], at: Callable[[float], float], redactor: Redactor
) -> list[dict[str, Any]]:
    """Return what is kept of pages, without secrets; of the pictures nothing is taken out."""
    return [
        {
            "url": redactor.url(page.url),
            "title": redactor.text(page.title),
            "picture": _picture(page),
            "console": [
                {"at_s": at(line.at_s), "level": line.level, "text": redactor.text(line.text)}
                for line in page.console
            ],
        }
        for page in pages
    ]


def _picture(page: PageSeen) -> str:
    picture = page.picture if len(page.picture) <= MOST_BYTES else b""
    return base64.b64encode(picture).decode()
