"""From nothing to a first test: what a project has, and the files that it gets for it."""

from nomock.init.edits import Edit, apply
from nomock.init.found import Found, FoundService
from nomock.init.looking import contexts_of, look, stacks_below
from nomock.init.plan import edits, removals

__all__ = [
    "Edit",
    "Found",
    "FoundService",
    "apply",
    "contexts_of",
    "edits",
    "look",
    "removals",
    "stacks_below",
]
