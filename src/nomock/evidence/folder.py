"""Where evidence lies: ``.nomock/evidence/RUN/TEST/evidence.json``, of the last runs."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from nomock.errors import EvidenceError
from nomock.filelock import lives
from nomock.statefolder import make_state_dir, writing

VERSION = 1
"""The version of what evidence.json holds: another one where a reader of this would err."""

FILE = "evidence.json"
PAGE = "index.html"
_MOST_NAME = 80
_MOST_AT_ONCE = 10
"""How many runs there may be at once."""
_RUN = re.compile(r"\d{8}-\d{6}-\d+")


def run_name(began_s: float, process: int) -> str:
    """Return the name of a run: by time in UTC, and two at once have another process.

    Local time would not keep them in order where clocks change, or Django sets another zone.
    """
    return f"{datetime.fromtimestamp(began_s, UTC):%Y%m%d-%H%M%S}-{process}"


def test_folder_name(test: str) -> str:
    """Return a name for the folder of a test that any file system takes, for each test its own."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", test).strip("._")
    digest = sha256(test.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{plain[-_MOST_NAME:].lstrip('._-')}-{digest}"


@dataclass(frozen=True)
class EvidenceFolder:
    """The evidence of the runs of one stack."""

    state_dir: Path

    @property
    def path(self) -> Path:
        """The folder of all runs."""
        return self.state_dir / "evidence"

    def of_run(self, run: str) -> Path:
        """Return the folder of a run."""
        return self.path / run

    def of_test(self, run: str, test: str) -> Path:
        """Return the folder of a test in a run."""
        return self.of_run(run) / test_folder_name(test)

    def write(self, run: str, test: str, text: str) -> Path:
        """Write the evidence of a test, whole or not at all; raise StateFolderError."""
        path = self.of_test(run, test) / FILE
        make_state_dir(self.state_dir)
        write_whole(path, text)
        return path

    def runs(self) -> list[str]:
        """Return the names of the runs that left something, the newest first."""
        try:
            found = [p.name for p in self.path.iterdir() if _RUN.fullmatch(p.name)]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def read(self, run: str) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the evidence of a run, by the time at which its tests began, and what is not.

        That is each file which cannot be read, with the reason.
        """
        found, not_read = [], []
        for path in sorted(self.of_run(run).glob(f"*/{FILE}")):
            try:
                found.append(read_evidence(path))
            except EvidenceError as error:
                not_read.append(str(error))
        return sorted(found, key=lambda record: record["test"]["began_s"]), not_read

    def images_named(self, ids: Iterable[str]) -> set[str]:
        """Return those of some ids of images that a test ran on which left evidence."""
        left = set(ids)
        found = set()
        for path in self.path.glob(f"*/*/{FILE}") if left else ():
            with suppress(OSError):  # another run lets its folder go
                text = path.read_bytes()
                found |= {id_ for id_ in left if id_.encode() in text}
                left -= found
        return found

    def keep(self, most: int) -> None:
        """Remove what older runs left that have ended; of what cannot be removed some stays."""
        for number, run in enumerate(self.runs()):
            # Its number may be another process's by now, as that of a container's first one is.
            may_run = number < most + _MOST_AT_ONCE and lives(int(run.rpartition("-")[2]))
            if number >= most and not may_run:
                shutil.rmtree(self.of_run(run), ignore_errors=True)


def read_evidence(path: Path) -> dict[str, Any]:
    """Return the evidence in a file; raise EvidenceError where it is none that can be read here."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EvidenceError("it cannot be read", where=str(path), seen=str(error)) from error
    version = found.get("version") if isinstance(found, dict) else None
    if version != VERSION:
        raise EvidenceError(
            f"it is of version {version}, this nomock reads version {VERSION}",
            where=str(path),
            todo="look at it with the nomock that wrote it, or run the test again",
        )
    return dict(found)


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, for this user alone; raise StateFolderError."""
    own = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(own, "w", encoding="utf-8", opener=_for_this_user) as file:
                file.write(text)
            own.replace(path)
        except OSError:
            own.unlink(missing_ok=True)
            raise


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
