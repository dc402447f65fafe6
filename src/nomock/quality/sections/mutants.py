"""The mutants that tests killed, by file."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.left import Mutation, left
from nomock.quality.page import Section, Table
from nomock.quality.sections.words import count, moment, share

_ASKS = "Is a test red when a line of a service is wrong?"


def mutants(settings: Settings) -> Section:
    """Return the mutation score."""
    found = left(settings.state_dir, Mutation)
    if found is None:
        return Section("Mutants", _ASKS, command="nomock test-mutation")
    meaning = (
        f"of {count(found.killed + found.survived, 'mutant')} that tests run were killed, "
        f"{found.timed_out} of these since they hung; {moment(found.when)}"
    )
    notes = [
        f"{what}: {number}"
        for number, what in (
            (found.no_coverage, "In no test"),
            (found.aside, "Set aside as equivalent, each with its reason"),
            (found.error, "Without a verdict"),
            (found.left, "Left for the next run"),
        )
        if number
    ]
    worst = sorted(found.files, key=lambda file: (-file.survived, file.path))
    rows = [
        (f.path, share(f.score), str(f.killed), str(f.survived), str(f.no_coverage), str(f.aside))
        for f in worst
    ]
    head = ("file", "score", "killed", "survived", "no test", "set aside")
    return Section("Mutants", _ASKS, share(found.score), meaning, Table(head, rows), notes)
