"""The record of the last run, put together of what it left under ``.nomock``."""

from __future__ import annotations

from pathlib import Path

from nomock.baggage import test_and_fault
from nomock.config import Settings
from nomock.coverage.harvest.contexts import Contexts
from nomock.coverage.session import data_dir
from nomock.errors import ConfigError
from nomock.evidence.folder import EvidenceFolder
from nomock.parity.record import Record, result_of
from nomock.project import Store


def take(settings: Settings) -> Record:
    """Return the record of the last run; raise ConfigError where it left too little."""
    run = Store(settings.state_dir, "last-run").read()
    if not run.get("outcomes"):
        raise ConfigError(
            "the last run left no record of its tests",
            where=str(settings.state_dir),
            todo="run them: pytest --nomock-evidence all --traces --sidecar-coverage",
        )
    evidence, _ = EvidenceFolder(settings.state_dir).read(run.get("evidence") or "none")
    left = {one["test"]["id"]: one for one in evidence}
    tests = {
        test: result_of(outcome, why, left.get(test))
        for test, (outcome, why) in sorted(run["outcomes"].items())
    }
    lines = _lines(settings) if run.get("is_covered") else None
    return Record(run["target"], run["command"], tests, lines)


def _lines(settings: Settings) -> dict[str, dict[str, list[str]]]:
    contexts = Contexts.of(data_dir(settings))
    found = {}
    for path in sorted(contexts.files):
        by_line = contexts.by_line(path)
        found[_shown(path, settings.root)] = {
            str(line): sorted({test_and_fault(context)[0] for context in by_line[line]})
            for line in sorted(by_line)
            if by_line[line]
        }
    return found


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
