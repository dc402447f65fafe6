"""What goes wrong with the data that tests make."""

from __future__ import annotations

from nomock.errors.base import NomockError


class CleanupError(NomockError):
    """What tests left cannot be looked at, or not be removed, or is not to be."""


class LedgerError(NomockError):
    """What a test makes cannot be written down, so that it is not made; or not be undone."""
