"""What a run tells of its mutants, and what a process tells the run: files in one folder.

``index.json``: ``{"limit_s":5.0,"mutants":{"0a1b2c3d4e":["1f2e3d4c-4312",17]}}``: where each
mutant is, and its number, from 1 on, which no other one has. A module is named by the sum (crc32)
and the size of its source, so that nobody has to know where a service has it.
``1f2e3d4c-4312.json``: the functions of a module with mutants, see ``choosing``.
``imported.json``: the mutants of processes that start from now on, see ``imported``.
``told.HOST.PID.ndjson``: what a process has done: ``{"ran":"0a1b2c3d4e"}`` and others.
"""

from __future__ import annotations

import json
import os

from nomock_spy.files import content
from nomock_spy.guard import swallow
from nomock_spy.hints import Any


class Told:
    """The folder of a run's mutants."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        index = self._read("index.json")
        self.limit_s = float(index.get("limit_s", 10))
        """How long a mutant may keep a processor busy before it is taken to hang, in seconds."""
        self._places: dict[str, list[Any]] = index.get("mutants", {})
        self._ids: dict[int, str] = {}
        self.imported: list[dict[str, Any]] = self._read("imported.json").get("modules", [])
        """The modules that have mutants in this process as a whole."""
        self._fd = -1

    def place(self, mutant: str) -> tuple[str, int]:
        """Return a mutant's module and its number there; ("", 0) where nothing is told of it."""
        module, number = self._places.get(mutant, ("", 0))
        return module, number

    def mutant(self, number: int) -> str:
        """Return the mutant that has a number."""
        if not self._ids:
            self._ids = {number: mutant for mutant, (_, number) in self._places.items()}
        return self._ids[number]

    def functions(self, module: str) -> dict[str, Any]:
        """Return what is told of the functions of a module."""
        return self._read(f"{module}.json")

    def say(self, **what: object) -> None:
        """Tell the run something; it is on disk when this returns."""
        try:
            if self._fd < 0:
                name = f"{self._folder}/told.{os.uname().nodename}.{os.getpid()}.ndjson"
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._fd = os.open(name, flags, 0o644)
                os.chmod(name, 0o644)  # noqa: PTH101 - whatever umask the service has
            os.write(self._fd, json.dumps(what).encode() + b"\n")
        except BaseException as error:
            swallow(error)

    def _read(self, name: str) -> dict[str, Any]:
        text = content(f"{self._folder}/{name}")
        found: dict[str, Any] = json.loads(text) if text else {}
        return found
