"""Playwright: the only module that knows it; an extra, loaded when a test asks for a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from nomock.adapters.pages import MOST_LINES, ConsoleLine, PageSeen, looking
from nomock.errors import BrowserError, BrowserMissingError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page

__all__ = ["Page", "browser_page"]

# For a picture of a page that hangs: the test has failed already.
_PICTURE_MS = 5000
_QUALITY = 60


@contextmanager
def browser_page(executable: str | None, proxy: str) -> Iterator[Page]:
    """Start a browser without a window, and return a page whose requests pass ``proxy``.

    ``executable``: the program of a Chromium; None: the one that Playwright installed.
    Raises BrowserMissingError where there is no Playwright or no browser, BrowserError where that
    does not start.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise BrowserMissingError(
            "there is no Playwright",
            where="browser_page",
            seen=str(error),
            todo="pip install 'nomock[browser]'",
        ) from error
    # Not for the whole run: as long as it runs, no test of this thread can run an event loop.
    with ExitStack() as started:
        try:
            playwright = started.enter_context(sync_playwright())
        except Error as error:
            raise BrowserError(
                "an event loop runs in this thread: of another Playwright, or of an async test",
                where="browser_page",
                seen=error.message,
                todo='with pytest-playwright use its page: {"proxy": {"server": browser_proxy}} is '
                "for its fixture browser_context_args",
            ) from error
        try:
            browser = playwright.chromium.launch(
                executable_path=executable, proxy={"server": proxy}
            )
        except Error as error:
            raise _not_started(executable, error.message) from error
        with browser:
            context = browser.new_context()
            with looking(_Watch(context).look):
                yield context.new_page()


class _Watch:
    """What the pages of a browser's context show and say."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._lines: list[ConsoleLine] = []
        context.on("console", self._said)
        context.on("weberror", lambda raised: self._add("error", str(raised.error)))

    def _said(self, message: ConsoleMessage) -> None:
        self._add(message.type, message.text)

    def _add(self, level: str, text: str) -> None:
        if len(self._lines) < MOST_LINES:
            self._lines.append(ConsoleLine(monotonic(), level, text))

    def look(self) -> list[PageSeen]:
        """Return each page as it is now; the console is the first one's."""
        return [
            _seen(page, self._lines if number == 0 else [])
            for number, page in enumerate(self._context.pages)
        ]


def _seen(page: Page, lines: list[ConsoleLine]) -> PageSeen:
    from playwright.sync_api import Error

    title, picture = "", b""
    with suppress(Error):
        title = page.title()
        picture = page.screenshot(type="jpeg", quality=_QUALITY, timeout=_PICTURE_MS)
    return PageSeen(page.url, title, picture, tuple(lines))


def _not_started(executable: str | None, said: str) -> BrowserError:
    seen = "\n".join(said.splitlines()[:4])
    if executable is None:
        return BrowserMissingError(
            "there is no browser",
            where="browser_page",
            seen=seen,
            todo="install a Chromium by the packages of this machine, or name its program: browser "
            "in [tool.nomock], NOMOCK_BROWSER",
        )
    return BrowserError(
        "the browser does not start",
        where=f"browser_page, {executable}",
        seen=seen,
        todo="start it by hand: what it says first is why",
    )
