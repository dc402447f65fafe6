"""All edits of a project together."""

from __future__ import annotations

from nomock.init.edits import Edit
from nomock.init.files import first_tests, ignored, overlays, pyproject, recipes, workflow
from nomock.init.found import Found


def edits(found: Found) -> list[Edit]:
    """Return what is to be written so that a project has all; nothing where it has it."""
    return [
        *pyproject.wanted(found),
        *first_tests.wanted(found),
        *ignored.wanted(found),
        *recipes.wanted(found),
        *workflow.wanted(found),
    ]


def removals(found: Found) -> list[Edit]:
    """Return what takes away all that was written, but for files that somebody changed since."""
    return [
        *pyproject.taken_away(found.folder),
        *first_tests.taken_away(found.folder),
        *ignored.taken_away(found),
        *recipes.taken_away(found.folder),
        *workflow.taken_away(found.folder),
        *overlays.taken_away(found),
    ]
