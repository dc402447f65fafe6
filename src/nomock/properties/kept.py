"""The examples that failed, kept in the folder of the state for the next run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from nomock.adapters.hypothesis import DirectoryBasedExampleDatabase, ExampleDatabase
from nomock.loading import load


class KeptExamples(ExampleDatabase):
    """A folder of examples, found when it is first needed: a decorator runs before that."""

    @cached_property
    def _folder(self) -> DirectoryBasedExampleDatabase:
        return DirectoryBasedExampleDatabase(load(Path.cwd()).state_dir / "examples")

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self._folder.save(key, value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Yield the examples of a test."""
        yield from self._folder.fetch(key)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example: it fails no more."""
        self._folder.delete(key, value)

    def move(self, src: bytes, dest: bytes, value: bytes) -> None:
        """Keep an example under another key."""
        self._folder.move(src, dest, value)
