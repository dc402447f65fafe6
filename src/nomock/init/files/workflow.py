"""The workflow of GitHub Actions: the tests on the stack at each push, with their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nomock.init.edits import Edit, read
from nomock.init.found import Found
from nomock.init.signed import is_as_written, signed

_PATH = Path(".github/workflows/nomock.yml")
_TEXT = """\
# The tests on the real stack. The engine and compose are on GitHub's machines already.
name: nomock

on: [push, pull_request]

permissions:
  contents: read

jobs:
  stack:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
{install}
      - run: {runner}pytest -n logical{coverage}
      - if: failure()
        uses: actions/upload-artifact@v4
        with:
          name: nomock-evidence
          path: .nomock/evidence
          include-hidden-files: true

"""
_INSTALLS = {
    "uv run": "pip install uv && uv sync",
    "poetry run": "pip install poetry && poetry install",
    "": "pip install nomock",
}
_REQUIREMENTS = ("requirements-dev.txt", "requirements.txt")


def wanted(found: Found) -> Iterator[Edit]:
    """Yield the edit that writes it, for a repository of GitHub's that has none."""
    path = found.folder / _PATH
    if found.is_on_github and read(path) is None:
        prefix = f"{found.runner} " if found.runner else ""
        install = f"      - run: {_install(found)}"
        coverage = " --nomock-sidecar-coverage" if found.is_covered else ""
        text = _TEXT.format(install=install, runner=prefix, coverage=coverage)
        yield Edit(path, None, signed(text))


def taken_away(folder: Path) -> Iterator[Edit]:
    """Yield the edit that removes it, where nobody changed it."""
    path = folder / _PATH
    text = read(path)
    if text is not None and is_as_written(text):
        yield Edit(path, text, None)


def _install(found: Found) -> str:
    command = _INSTALLS[found.runner]
    if not found.runner:
        there = [name for name in _REQUIREMENTS if (found.folder / name).is_file()]
        command += "".join(f" -r {name}" for name in there[:1])
    return command
