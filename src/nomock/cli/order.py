"""``nomock test-order --bisect TEST``: the test that another one depends on, or is broken by."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from nomock.cli.running import environ_of
from nomock.config import Settings
from nomock.errors import EvidenceError, did_you_mean
from nomock.leaks.order import fewest
from nomock.project import Store

_MOST_SHOWN = 5


def bisect(settings: Settings, chosen: argparse.Namespace) -> int:
    """Run the test alone, after all that ran before it, and after ever fewer of them."""
    store = Store(settings.state_dir, "last-run")
    last_run = store.read()
    runs = _Runs(settings)
    order = runs.collected(chosen.tests) if chosen.tests else list(last_run.get("outcomes", {}))
    test = _named(chosen.bisect, order, settings)
    before = order[: order.index(test)]
    try:
        return _search(runs, test, before, chosen.most_runs)
    finally:
        if last_run:  # each of these runs has taken its place
            store.write(last_run)


def _search(runs: _Runs, test: str, before: list[str], most_runs: int) -> int:
    alone = runs.outcome([], test)
    together = runs.outcome(before, test) if before else alone
    if alone == together:
        print(f"{test}: {alone} both alone and after the {len(before)} before it")
        print("-> where it ended otherwise, other tests ran before it: name them, in their order")
        if alone != "passed":
            print("-> if an earlier run left something: nomock cleanup, or nomock down --volumes")
        return 1

    def does_it(some: Sequence[str]) -> bool:
        return runs.outcome(some, test) == together

    found = fewest(before, does_it, most_runs=most_runs)
    print(f"{test}: {alone} alone, {together} after")
    for name in found:
        print(f"  {name}")
    print("it depends on what that leaves" if alone != "passed" else "that breaks it", end=": ")
    print(f"pytest {shlex.join([*found[:_MOST_SHOWN], test])}")
    print("-> what it leaves: pytest --leaks")
    return 0


class _Runs:
    """Runs tests in an order, each time in a new process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._count = 0
        self._environ = environ_of(settings)
        # In one process, in the order that is named: whatever else the project's options say.
        self._pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"]
        if find_spec("xdist"):
            self._pytest += ["-n0"]

    def collected(self, tests: Sequence[str]) -> list[str]:
        """Return the ids of tests, in the order in which pytest runs them."""
        command = [*self._pytest, "--collect-only", *tests]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EvidenceError(
                "these tests cannot be collected",
                where=" ".join(tests),
                seen=(done.stdout + done.stderr).strip(),
            )
        return [line for line in done.stdout.splitlines() if "::" in line]

    def outcome(self, before: Sequence[str], test: str) -> str:
        """Run a test after others, and say how it ended."""
        self._count += 1
        folder = _folder_of(test, self._settings)
        with tempfile.TemporaryDirectory() as temporary:
            events = Path(temporary, "events")
            command = [*self._pytest, f"--nomock-events={events}", *before, test]
            done = subprocess.run(
                command, cwd=folder, env=self._environ, capture_output=True, text=True, check=False
            )
            told = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
        ended = [json.loads(line) for line in told]
        outcomes = [e["outcome"] for e in ended if e.get("event") == "end" and e["id"] == test]
        if not outcomes:
            raise EvidenceError(
                "the test did not run",
                where=test,
                seen=(done.stdout + done.stderr).strip()[-2000:],
                todo="run it by itself: pytest " + shlex.quote(test),
            )
        others = "1 other" if len(before) == 1 else f"{len(before)} others"
        after = f"after {others}" if before else "alone"
        print(f"run {self._count}, {after}: {outcomes[-1]}", flush=True)
        return str(outcomes[-1])


def _named(part: str, order: Sequence[str], settings: Settings) -> str:
    """Return the test that a part of its id means; raise EvidenceError."""
    found = [part] if part in order else [test for test in order if part in test]
    if len(found) == 1:
        return found[0]
    where = str(settings.state_dir / "last-run.json")
    if found:
        shown = found[:_MOST_SHOWN]
        raise EvidenceError(
            f"{len(found)} tests have {part!r} in their name",
            where=where,
            seen="\n".join(shown),
            todo="name one of them",
        )
    raise EvidenceError(
        f"the last run has no test {part!r}",
        where=where,
        seen=f"{len(order)} tests",
        todo=did_you_mean(
            part,
            order,
            "run the tests first, or name those that are to run, in "
            "their order: nomock test-order --bisect TEST TESTS…",
        ),
    )


def _folder_of(test: str, settings: Settings) -> Path:
    """Return the folder that a test's id is relative to."""
    file = test.partition("::")[0]
    here = Path.cwd()
    folders = (here, *here.parents, settings.root)
    return next((folder for folder in folders if (folder / file).is_file()), here)
