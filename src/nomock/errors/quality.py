"""What goes wrong with what is kept of the quality of tests."""

from __future__ import annotations

from nomock.errors.base import NomockError


class QualityError(NomockError):
    """What was measured of the tests is not there, of another version, or cannot be read."""
