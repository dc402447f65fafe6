"""What goes wrong with mutants."""

from __future__ import annotations

from nomock.errors.base import NomockError


class MutationError(NomockError):
    """A mutant cannot be made, or what was kept of mutants cannot be read."""
