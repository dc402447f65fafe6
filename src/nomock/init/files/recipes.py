"""nomock.just: recipes for `just`, imported by the project's own justfile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nomock.init.edits import Edit, read, with_lines, without_lines
from nomock.init.found import Found
from nomock.init.signed import is_as_written, signed

_NAME = "nomock.just"
_IMPORT = f"import '{_NAME}'"
# just takes any of these, whatever its letters' case.
_JUSTFILES = ("justfile", ".justfile")
_RECIPE = re.compile(r"^@?([A-Za-z_][\w-]*)(?:\s[^:=\n]*)?:(?!=)", re.MULTILINE)
# name -> what it says of itself, its parameters, its command
_RECIPES = {
    "stack-up": ("start the stack and wait until it is ready", "", "nomock up"),
    "stack-down": ("stop the stack; keep its volumes", "", "nomock down"),
    "test": ("run tests on the stack: just test -k word", " *arguments", 'pytest "$@"'),
    "test-fast": ("in parallel", " *arguments", 'pytest -n logical --dist worksteal "$@"'),
    "test-sidecar-coverage": (
        "which lines of the services do the tests run",
        " *arguments",
        'pytest --nomock-sidecar-coverage "$@"',
    ),
    "who-tests": (
        "the tests that ran a line: who-tests app.py:12",
        " *arguments",
        'nomock who-tests "$@"',
    ),
    "diagnose-tests": (
        "why did the last run fail, the likeliest cause first",
        " *arguments",
        'nomock diagnose "$@"',
    ),
}
_OF_COVERAGE = {"test-sidecar-coverage", "who-tests"}


def wanted(found: Found) -> Iterator[Edit]:
    """Yield the edits that write the recipes and import them; none takes the name of another."""
    path = found.folder / _NAME
    own = _justfile(found.folder)
    theirs = read(own)
    if read(path) is None:
        taken = set(_RECIPE.findall(theirs or "")) | (set() if found.is_covered else _OF_COVERAGE)
        yield Edit(path, None, signed(_text(found.runner, taken)))
    if theirs is None or _IMPORT not in theirs.splitlines():
        yield Edit(own, theirs, with_lines(theirs, [_IMPORT]))


def taken_away(folder: Path) -> Iterator[Edit]:
    """Yield the edits that remove the import, and the recipes where nobody changed them."""
    path, own = folder / _NAME, _justfile(folder)
    text, theirs = read(path), read(own)
    if text is None or not is_as_written(text):
        return
    yield Edit(path, text, None)
    if theirs is not None and _IMPORT in theirs.splitlines():
        after = without_lines(theirs, [_IMPORT])
        yield Edit(own, theirs, after if after.strip() else None)


def _justfile(folder: Path) -> Path:
    names = {path.name.lower(): path for path in folder.iterdir()} if folder.is_dir() else {}
    return next((names[name] for name in _JUSTFILES if name in names), folder / _JUSTFILES[0])


def _text(runner: str, taken: set[str]) -> str:
    prefix = f"{runner} " if runner else ""
    blocks = ["# Tests on the real stack: https://just.systems runs these.\n"]
    for name, (says, parameters, command) in _RECIPES.items():
        if name not in taken:
            positional = "[positional-arguments]\n" if parameters else ""
            blocks.append(f"# {says}\n{positional}{name}{parameters}:\n    {prefix}{command}\n")
    return "\n".join(blocks) + "\n"
