"""The first tests: each asserts what a service was just seen to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nomock.init.edits import Edit, read
from nomock.init.found import Found
from nomock.init.signed import is_as_written, signed

_FOLDERS = ("tests", "test")
_NAME = "test_stack.py"
_HEAD = '"""First tests on the real stack: each service does what `nomock init` saw it do."""\n'


def wanted(found: Found) -> Iterator[Edit]:
    """Yield the edit that writes the tests; a file that is there is left as it is."""
    path = _path(found.folder)
    tests = [service.test for service in found.services if service.test]
    if read(path) is not None or not tests:
        return
    imports = sorted({module for test in tests for module in test.imports})
    blocks = ["".join(f"import {module}\n" for module in imports)] if imports else []
    for test in tests:
        body = "".join(f"    {line}\n" if line else "\n" for line in test.body)
        blocks.append(f"def {test.name}({test.fixture}):\n{body}")
    first, *rest = blocks
    joined = first if imports else f"\n{first}"
    yield Edit(path, None, signed(_HEAD + "\n" + joined + "".join(f"\n\n{b}" for b in rest) + "\n"))


def taken_away(folder: Path) -> Iterator[Edit]:
    """Yield the edit that removes the tests, where nobody changed them."""
    path = _path(folder)
    text = read(path)
    if text is not None and is_as_written(text):
        yield Edit(path, text, None)


def _path(folder: Path) -> Path:
    there = [folder / name for name in _FOLDERS if (folder / name).is_dir()]
    return (there[0] if there else folder / _FOLDERS[0]) / _NAME
