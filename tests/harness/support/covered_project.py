"""A project of which covered runs know what its tests need, without that anything ran."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from nomock.config import Settings
from nomock.coverage.affected import Affected, Suite, save_baseline, state_now
from nomock.coverage.harvest import new_run, prepare
from nomock.coverage.harvest.folder import DATA_FILE
from nomock.loading import load
from nomock.project import resolve

APP = '''\
"""An app."""
import sys

LIMIT = 3


def route(path):
    return lambda function: function


class Base:
    def name(self):
        return "base"


class Shop(Base):
    size = 1

    def sell(self, count: int = 1):
        """Sell some."""
        if count > LIMIT:
            raise ValueError(count)
        return count

    def refund(self):
        return 0


@route("/")
def index():
    return Shop().sell()


def sweep():
    return 1


def unused():
    return 2


def counter():
    start = 1

    def up():
        nonlocal start
        start += 1
        return start

    return up
'''
SELL, BUY, ODD = (
    "tests/test_a.py::test_sell",
    "tests/test_a.py::test_buy[x]",
    "tests/test_b.py::test",
)
EVERY = {SELL, BUY, ODD}


def edited(old: str, new: str, source: str = APP) -> str:
    assert source.count(old) == 1, old
    return source.replace(old, new)


@dataclass
class Project:
    """A project with two services and the data of a covered run, which ran as `ran` says."""

    path: Path
    ran: Mapping[str, Sequence[tuple[str, int]]]

    @property
    def data_dir(self) -> Path:
        return self.path / ".nomock/coverage"

    @property
    def settings(self) -> Settings:
        return load(self.path, environ={})

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        self.write(name, edited(old, new, (self.path / name).read_text(encoding="utf-8")))

    def cover(
        self,
        passed: Sequence[str] = (SELL, BUY, ODD),
        failed: Sequence[str] = (),
        folder: str = "tests",
    ) -> None:
        """Do what a covered run does at its begin and its end."""
        suite = Suite(self.path, (self.path / folder,), self.path / "pytest.ini")
        begin = state_now(self.settings, resolve(self.settings), suite)
        prepare(self.data_dir, new_run())
        data = CoverageData(basename=str(self.data_dir / DATA_FILE))
        ran = {*passed, *failed, ""}
        for context, lines in self.ran.items():
            if context.partition("|")[0] not in ran:
                continue
            data.set_context(context)
            for file, line in lines:
                data.add_lines({str(self.path / file): {line}})
        data.set_context("")
        data.touch_files([str(self.path / "app/idle.py")])
        data.write()
        save_baseline(self.data_dir, begin, suite, passed, failed)

    def reasons(
        self, since: str | None = None, on_stack: Sequence[str] = (SELL, BUY, ODD)
    ) -> dict[str, set[str]]:
        """Return what changed -> the tests that need it."""
        choice = Affected(self.settings, self.data_dir, since).choose(sorted(EVERY), on_stack)
        return {reason.text: set(reason.tests) for reason in choice.reasons}

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.path, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "a state")
