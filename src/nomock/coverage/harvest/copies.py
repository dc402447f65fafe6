"""Copies of records that lie elsewhere, in the folder of this machine as if they were written here.

The processes that write them may be older than the run: what they ran for tests before it is left
out, so that a run's lines are its own. What they ran at their start, and ever since for no test, is
theirs now, and stays.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from nomock.coverage.harvest.records import CANARY_TEST
from nomock.statefolder import writing

_NO_RUN = ".-."


class Copies:
    """The copies of one run; any thread may use them."""

    def __init__(self, data_dir: Path, run: str) -> None:
        self._data_dir = data_dir
        self._run = run
        self._lock = Lock()
        self._copies: dict[str, _Copy] = {}
        self._has_begun = False

    def begin(self) -> None:
        """Begin the run: all that is taken from here on is its own."""
        with self._lock:
            self._has_begun = True

    def offsets(self, like: str = "") -> dict[str, int]:
        """Return how much of each file is here; of those whose name has a part, if one is given."""
        with self._lock:
            return {name: copy.offset for name, copy in self._copies.items() if like in name}

    def take(self, pieces: Iterable[tuple[str, int, bytes]]) -> None:
        """Add pieces of files: each with the file's name, where it begins, and its content.

        What is here already is passed by. Raises StateFolderError.
        """
        for name, at, content in pieces:
            with self._lock, writing(self._data_dir):
                copy = self._copies.get(name)
                if copy is None:
                    own = name.replace(_NO_RUN, f".{self._run}.", 1)
                    copy = self._copies[name] = _Copy(self._data_dir / own, self._run)
                new = content[copy.offset - at :] if at <= copy.offset else b""
                copy.add(new, is_before=not self._has_begun)


class _Copy:
    """The copy of the file of one process."""

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self._run = run
        self.offset = 0
        """How much of the file was taken."""
        self._rest = b""
        self._is_first = True
        self._tests: defaultdict[int, str] = defaultdict(str)

    def add(self, content: bytes, *, is_before: bool) -> None:
        self.offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        kept = b"".join(self._kept(line, is_before=is_before) for line in lines)
        if kept:
            with self._path.open("ab") as file:
                file.write(kept)

    def _kept(self, line: bytes, *, is_before: bool) -> bytes:
        """Return what becomes of a record: nothing of a test that ran before."""
        if self._is_first:
            self._is_first = False
            return self._header(line)
        if is_before and self._is_of_a_test(line):
            return b""
        return line + b"\n"

    def _header(self, line: bytes) -> bytes:
        try:
            return json.dumps({**json.loads(line), "run": self._run}).encode() + b"\n"
        except (TypeError, ValueError):
            return line + b"\n"  # the reader says that it is damaged

    def _is_of_a_test(self, line: bytes) -> bool:
        try:
            record = json.loads(line)
            if "test" in record:
                self._tests[record["context"]] = record["test"]
            return self._tests[record.get("in", 0)] not in {"", CANARY_TEST}
        except (AttributeError, TypeError, ValueError):
            return False
