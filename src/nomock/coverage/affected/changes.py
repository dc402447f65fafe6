"""What differs between two states, and which tests that may concern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.coverage.affected.blocks import MODULE, Block
from nomock.coverage.affected.state import Blocks, State, is_named_as_test


@dataclass(frozen=True)
class Change:
    """Something that is not what it was, said in words.

    It concerns the tests that ran a function, or those below a path, or every test.
    """

    where: Path | None
    """The file; None where it is in none."""
    what: str
    function: str | None = None
    below: Path | None = None
    is_new: bool = False


def changes(old: State, new: State) -> Iterator[Change]:
    """Yield what differs, each thing once."""
    yield from (Change(path, how) for path, how in _differences(old.compose, new.compose))
    if old.compose == new.compose:
        for name in sorted({*old.config, *new.config}):
            if old.config.get(name) != new.config.get(name):
                yield Change(None, f"the configuration of service {name} changed")
    known = {*old.sources, *new.sources}
    yield from (
        Change(path, how) for path, how in _differences(old.inputs, new.inputs) if path not in known
    )
    for path in sorted(known):
        yield from _of_source(path, old.sources.get(path), new.sources.get(path))
    yield from (
        Change(path, how, below=_concerned(path))
        for path, how in _differences(old.tests, new.tests)
    )


def _differences(old: Mapping[Path, str], new: Mapping[Path, str]) -> Iterator[tuple[Path, str]]:
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield path, "is new" if path not in old else "removed" if path not in new else "changed"


def _of_source(path: Path, old: Blocks | None, new: Blocks | None) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(path, "is new" if old is None else "removed")
        return
    if old[MODULE] != new[MODULE]:
        yield Change(path, "code outside of functions, or a decorator, changed")
        return  # this concerns every test: what else changed in the file adds nothing
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        yield _of_function(path, name, before, after)


def _of_function(path: Path, name: str, before: Block | None, after: Block | None) -> Change:
    if before is None:
        assert after is not None, "it differs from nothing"
        if after.reach:
            return Change(path, f"{name}() is new, and {after.reach}")
        return Change(path, f"{name}() is new", name, is_new=True)
    if after is None:
        return Change(path, f"{name}() removed", name)
    if before.signature != after.signature:
        return Change(path, f"a default or annotation of {name}() changed")
    return Change(path, f"{name}() changed", name)


def _concerned(path: Path) -> Path | None:
    """Return below which path the tests are that a file of the suite concerns; None for all."""
    if not is_named_as_test(path):
        return None
    return path.parent if path.name == "conftest.py" else path
