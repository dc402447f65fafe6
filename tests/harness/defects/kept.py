"""Verdicts that are kept, so that a run that was ended goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from .copies import digest
from .defect import ROOT, Defect
from .result import Result

_FOLDER = ROOT / ".nomock/defects"


class Kept:
    """The verdicts of one side; each is good as long as what it came of is the same."""

    def __init__(self, side: str, reads: Callable[[Defect], Sequence[str]]) -> None:
        self._folder = _FOLDER / side
        self._reads = reads
        # As it was when it was first asked for: that is what the copies are made of.
        self._digests: dict[tuple[str, ...], str] = {}

    def find(self, defect: Defect) -> Result | None:
        """Return the verdict of these very files on this very patch."""
        try:
            told = json.loads(self._path(defect).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return Result(**told["result"]) if told["of"] == self._of(defect) else None

    def keep(self, defect: Defect, result: Result) -> None:
        """Write a verdict down, in one step."""
        self._folder.mkdir(parents=True, exist_ok=True)
        told = {"of": self._of(defect), "result": asdict(result)}
        beside = self._path(defect).with_suffix(".tmp")
        beside.write_text(json.dumps(told))
        beside.replace(self._path(defect))

    def _of(self, defect: Defect) -> list[str]:
        reads = tuple(self._reads(defect))
        if reads not in self._digests:
            self._digests[reads] = digest(reads, "")
        return [self._digests[reads], defect.text]

    def _path(self, defect: Defect) -> Path:
        return self._folder / f"{defect.name}.json"
