"""What services promise, held against what they do."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.left import Contracts, left
from nomock.quality.page import Section, Table
from nomock.quality.sections.words import count, moment

_ASKS = "Do services keep what they promise?"


def contracts(settings: Settings) -> Section:
    """Return the findings of each check."""
    found = left(settings.state_dir, Contracts)
    if found is None:
        return Section("Contracts", _ASKS, command="nomock contracts")
    findings = [(check.name, one) for check in found.checks for one in check.findings]
    checked = sum(check.checked for check in found.checks)
    rows = [(check.name, str(check.checked), str(len(check.findings))) for check in found.checks]
    return Section(
        "Contracts",
        _ASKS,
        count(len(findings), "finding"),
        f"in {checked} places that were looked at; {moment(found.when)}",
        Table(("check", "looked at", "findings"), rows),
        [f"{name}: {one}" for name, one in findings],
    )
