"""The folder by which a run tells the spies of its mutants, and they tell it what became of them.

It lies in the folder that the spies write to, under the run's name, so that the mutants of a run
that was killed mean nothing to the services of another one. Its files are described where the spy
reads them: ``coverage-spy/nomock_spy/mutants/told.py``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nomock.mutation.functions import Told
from nomock.statefolder import writing

_PREFIX = "mutants."


def remove_all(data_dir: Path) -> None:
    """Remove the mutants of every run; asked while none is under way. Raises StateFolderError."""
    with writing(data_dir):
        for folder in data_dir.glob(f"{_PREFIX}*"):
            shutil.rmtree(folder)


@dataclass(frozen=True)
class Imported:
    """A module with mutants of what its import runs."""

    mutants: tuple[str, ...]
    module: str
    """What the spy knows it by."""
    name: str
    """That of its file."""
    text: str
    """The whole of it, with the mutants."""


class MutantsFolder:
    """The folder of one run."""

    def __init__(self, data_dir: Path, run: str) -> None:
        self._path = data_dir / f"{_PREFIX}{run}"
        self._read: dict[Path, int] = {}
        self._seen: list[dict[str, Any]] = []

    def write(self, modules: Sequence[Told], *, limit_s: float) -> None:
        """Tell all mutants; before the services start. Raises StateFolderError."""
        with writing(self._path):
            self._path.mkdir(parents=True, exist_ok=True)
            self._path.chmod(0o777)  # the services write there as users of their own
            for told in modules:
                self._tell(f"{told.module}.json", told.functions)
            places = {i: [told.module, n] for told in modules for i, n in told.numbers.items()}
            self._tell("index.json", {"limit_s": limit_s, "mutants": places})

    def import_(self, modules: Sequence[Imported]) -> None:
        """Let processes that start from now on have mutants. Raises StateFolderError."""
        with writing(self._path):
            self._tell("imported.json", {"modules": [asdict(module) for module in modules]})

    def import_none(self) -> None:
        """Let processes that start from now on be as they are. Raises StateFolderError."""
        with writing(self._path):
            (self._path / "imported.json").unlink(missing_ok=True)

    def ran(self, mutant: str) -> bool:
        """Tell whether a process has done what a mutant does."""
        return any(one.get("ran") == mutant for one in self._told())

    def hung(self, mutant: str) -> bool:
        """Tell whether a process had to end a mutant that did not end by itself."""
        return any(one.get("hung") == mutant for one in self._told())

    def not_switched(self, number: int) -> str:
        """Return why a function could not be given the mutant of a number; "" where it was."""
        for one in self._told():
            if (why := one.get("failed", {}).get(str(number))) is not None:
                return str(why)
        return ""

    def _tell(self, name: str, what: object) -> None:
        path = self._path / name
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(what), encoding="utf-8")
        temporary.chmod(0o644)  # whatever umask is here: the services are other users
        temporary.replace(path)

    def _told(self) -> list[dict[str, Any]]:
        for path in self._path.glob("told.*.ndjson"):
            self._seen += self._news(path)
        return self._seen

    def _news(self, path: Path) -> Iterator[dict[str, Any]]:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read[path] = self._read.get(path, 0) + len(whole)
        for line in whole.splitlines():
            yield json.loads(line)
