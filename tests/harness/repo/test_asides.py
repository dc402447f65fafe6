"""``mutants-aside.toml`` of the reference stack: what it says is about code that is there."""

from __future__ import annotations

from places import ROOT

from nomock.mutation import decoded, mutants_of
from nomock.mutation.aside import FILE, read_asides, stale_asides


def test_entries_should_be_about_mutants_that_there_are_when_they_are_set_aside() -> None:
    asides = read_asides(ROOT / FILE)
    paths = {entry.path for entry in asides}
    mutants = [
        mutant for path in paths for mutant in mutants_of(path, decoded((ROOT / path).read_bytes()))
    ]
    assert asides
    assert stale_asides(asides, mutants, paths) == []
