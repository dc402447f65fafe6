"""The fixtures of a browser: its way to the stack, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from nomock.browser.finding import find_browser
from nomock.browser.passage import Passage
from nomock.errors import BrowserMissingError
from nomock.plugin.items import WAS_SKIPPED
from nomock.stack import Stack

if TYPE_CHECKING:
    from nomock.adapters.playwright import Page


@contextmanager
def proxy_of(stack: Stack) -> Iterator[str]:
    """Return the URL of the proxy by which a browser reaches the services of a stack."""
    with Passage(stack).open() as url:
        yield url


@contextmanager
def page_of(request: pytest.FixtureRequest, setting: str | None, proxy: str) -> Iterator[Page]:
    """Return a page; skip the test, with the reason, where there is no browser."""
    from nomock.adapters.playwright import browser_page

    page = browser_page(find_browser(setting), proxy)
    try:
        found = page.__enter__()
    except BrowserMissingError as error:
        request.node.stash[WAS_SKIPPED] = True
        pytest.skip(str(error))
    try:
        yield found
    finally:
        page.__exit__(None, None, None)
