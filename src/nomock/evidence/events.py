"""What a run tells while it goes on, for those who listen: as JSON lines, and to a page.

docs/evidence.md has the schema. An event is told once, in order; who comes late gets all of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Condition
from typing import Any

VERSION = 1
"""The version of what an event holds: another one where a reader of this would err."""


class Events:
    """The events of one run."""

    def __init__(self, file: Path | None = None) -> None:
        """``file`` is written anew, a line an event. Raises OSError where it cannot be."""
        self._told: list[tuple[str, str]] = []
        self._changed = Condition()
        self._is_closed = False
        # Nothing is held back: a reader has each line at once, and a full disk is known then.
        self._file = file.open("wb", buffering=0) if file else None
        self.error: OSError | None = None
        """Why the file is not whole: the disk is full, perhaps. The run goes on."""

    def tell(self, event: str, **values: Any) -> None:
        """Tell of an event, from any thread; after the end nothing is told any more."""
        text = json.dumps(values)
        with self._changed:
            if self._is_closed:
                return
            self._told.append((event, text))
            self._write(json.dumps({"event": event, **values}))
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._is_closed = True
            if self._file is not None:
                self._file.close()
            self._changed.notify_all()

    def listen(self, since: int = 0) -> Iterator[tuple[int, str, str]]:
        """Yield number, event and JSON of each event from a number on, as they come, to the end."""
        number = since
        while True:
            with self._changed:
                while not self._is_closed and len(self._told) <= number:
                    self._changed.wait()
                found = self._told[number:]
            if not found:
                return
            for event, text in found:
                yield number, event, text
                number += 1

    def _write(self, line: str) -> None:
        if self._file is None or self.error is not None:
            return
        try:
            self._file.write(f"{line}\n".encode())
        except OSError as error:
            self.error = error
