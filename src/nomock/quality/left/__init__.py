"""What each measurement leaves under ``.nomock/quality``, one JSON file each, for all to read.

``leave(state_dir, Mutation(…))`` replaces a file in one step; ``left(state_dir, Mutation)`` is what
was left last.
"""

from nomock.quality.left.files import leave, left
from nomock.quality.left.records import (
    Check,
    Contracts,
    Defect,
    Defects,
    Invariant,
    MutatedFile,
    Mutation,
    Properties,
)

__all__ = [
    "Check",
    "Contracts",
    "Defect",
    "Defects",
    "Invariant",
    "MutatedFile",
    "Mutation",
    "Properties",
    "leave",
    "left",
]
