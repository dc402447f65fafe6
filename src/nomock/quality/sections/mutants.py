"""The mutants that tests killed, by file."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.left import Mutation, left
from nomock.quality.page import Section, Table
from nomock.quality.sections.words import count, share

_ASKS = "Is a test red when a line of a service is wrong?"


def mutants(settings: Settings) -> Section:
    """Return the mutation score."""
    found = left(settings.state_dir, Mutation)
    if found is None:
        return Section("Mutants", _ASKS, command="nomock test-mutation")
    meaning = (
        f"of {count(found.killed + found.survived, 'mutant')} that tests run were killed, "
        f"{found.timed_out} of these since they hung; {found.when}"
    )
    notes = [
        text
        for number, text in (
            (found.no_coverage, "run in no test"),
            (found.aside, "are set aside as equivalent, each with its reason"),
            (found.error, "came to no verdict"),
            (found.left, "are left for the next run"),
        )
        if number
        for text in [f"{count(number, 'mutant')}: {text}"]
    ]
    worst = sorted(found.files, key=lambda file: (-file.survived, file.path))
    rows = [
        (f.path, share(f.score), str(f.killed), str(f.survived), str(f.no_coverage), str(f.aside))
        for f in worst
    ]
    head = ("file", "score", "killed", "survived", "no test", "set aside")
    return Section("Mutants", _ASKS, share(found.score), meaning, Table(head, rows), notes)
