"""Seeded defects: which the suite on the real stack found, and which a suite with mocks."""

from __future__ import annotations

from collections import defaultdict

from nomock.config import Settings
from nomock.quality.left import Defect, Defects, left
from nomock.quality.page import Section, Table
from nomock.quality.sections.words import moment, seconds, share

_ASKS = "Are bugs found that real projects had, also by tests with mocks?"


def defects(settings: Settings) -> Section:
    """Return the rates of detection, by kind."""
    found = left(settings.state_dir, Defects)
    if found is None:
        return Section("Defects", _ASKS, command="nomock docs quality")
    ours = [defect for defect in found.defects if defect.found_by]
    twins = [defect for defect in found.defects if defect.twin_found_by]
    all_ = len(found.defects)
    by_kind: dict[str, list[Defect]] = defaultdict(list)
    for defect in found.defects:
        by_kind[defect.kind].append(defect)
    rows = [
        (
            kind,
            str(len(some)),
            str(sum(bool(one.found_by) for one in some)),
            str(sum(bool(one.twin_found_by) for one in some)),
        )
        for kind, some in sorted(by_kind.items())
    ]
    missed = [f"Missed by the stack: {one.name}" for one in found.defects if not one.found_by]
    times = [
        f"On the sound code {word} takes {seconds(took_s)}."
        for word, took_s in (
            ("the suite", found.sound_seconds),
            ("its twin with mocks", found.twin_sound_seconds),
        )
        if took_s is not None
    ]
    return Section(
        "Defects",
        _ASKS,
        share(len(ours) / all_) if all_ else "none",
        f"of {all_} defects were found on the real stack, "
        f"{share(len(twins) / all_) if all_ else 'none'} by a twin with mocks; "
        f"{moment(found.when)}",
        Table(("kind", "defects", "found", "found with mocks"), rows),
        [*missed, *times],
    )
