"""One seeded defect: a patch, and what its first lines say of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

START = "the start of the stack"
"""What a defect turns red with which a service does not even start."""

KINDS = (
    "a check left out",
    "a lost context",
    "a missing constraint",
    "a missing grant",
    "a partial write after a failure",
    "a pool exhausted",
    "a race",
    "a retry too many",
    "a row-level policy bypassed",
    "a status set before the work is done",
    "a token accepted that should not be",
    "a typo in a command",
    "a wrong comparison",
    "a wrong error",
    "a wrong variable in a value",
    "a wrong wait",
    "data of another user",
    "deaf to signals",
    "no recovery",
    "no time-out",
    "something left behind",
)


@dataclass(frozen=True)
class Defect:
    """A patch of the services that somebody should notice."""

    name: str
    text: str

    @property
    def turns_red(self) -> str:
        """The test that is to notice it, a whole file, or `START`."""
        return self._header("turns red")

    @property
    def kind(self) -> str:
        """What kind of mistake it is, one of `KINDS`."""
        return self._header("kind")

    @property
    def seen_in(self) -> str:
        """The address of a public report of this mistake in a real project; "" if it has none."""
        return self._header("seen in")

    @property
    def changes_the_schema(self) -> bool:
        """Whether it is in a migration: one that was applied is not read again."""
        return "/migrations/" in self.text

    @property
    def is_in_python(self) -> bool:
        """Whether it is in a file that a suite without containers runs."""
        return bool(self.packages)

    @property
    def packages(self) -> set[str]:
        """The Python packages of the services that it touches."""
        return set(re.findall(r"^--- a/services/\w+/(\w+)/.+\.py$", self.text, re.MULTILINE))

    def _header(self, key: str) -> str:
        found = re.search(rf"^# {key}: (.+)$", self.text.partition("\n--- ")[0], re.MULTILINE)
        return found[1] if found else ""

    @contextmanager
    def applied(self, folder: Path) -> Iterator[None]:
        """Put it into the copy in `folder` for the block."""
        _git_apply(folder, self.text)
        try:
            yield
        finally:
            _git_apply(folder, self.text, "--reverse")


def all_defects() -> list[Defect]:
    """Return all defects, by name."""
    return [Defect(path.stem, path.read_text()) for path in sorted(HERE.glob("*.patch"))]


def _git_apply(folder: Path, text: str, *more: str) -> None:
    command = ["git", "apply", *more, "-"]
    done = subprocess.run(command, cwd=folder, input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the patch does not apply: {done.stderr}{text}")
