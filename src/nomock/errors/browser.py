"""What is wrong with the browser of tests."""

from __future__ import annotations

from nomock.errors.base import NomockError


class BrowserError(NomockError):
    """There is a browser, and it does not start."""


class BrowserMissingError(BrowserError):
    """There is no browser, or nothing that drives it: a test that asks for a page is skipped."""
