"""What covered runs leave for the choice of tests: blocks.json, and each run's coverage.py data.

A covered run of some tests adds to it: of each test, the newest run that it was part of is kept,
with the files as that run had them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nomock.coverage.affected.blocks import Block
from nomock.coverage.affected.state import State, Suite, digest_of
from nomock.coverage.harvest.contexts import Contexts
from nomock.coverage.harvest.folder import DATA_FILE, RUN_FILE
from nomock.errors import CoverageError
from nomock.project import Store

_VERSION = 2
_NAME = "blocks"
_FOLDER = "known"
# Each is compared with the files; of the tests of an older one nothing is known any more.
_MOST_RUNS = 20


@dataclass(frozen=True)
class CoveredRun:
    """A covered run: the files as it had them, and the tests of which it knows what they need."""

    name: str
    state: State
    suite: Suite
    passed: frozenset[str]
    """The ids of its tests that passed, and were part of no covered run since."""
    green: frozenset[str]
    """The ids of its tests that passed, and have passed in no covered run since."""
    digests: Mapping[Path, str]
    """The digest of each source: where it is another one now, line numbers may have moved."""
    data_file: Path

    @cached_property
    def contexts(self) -> Contexts:
        """Which test ran which line; raises CoverageError where that cannot be read."""
        return Contexts(self.data_file)

    def file_of(self, test: str) -> Path:
        """Return the file that a test is in, by its id."""
        return self.suite.root / test.partition("::")[0]

    def may_have(self, test: str) -> bool:
        """Tell whether a test may still be there: not where its changed file lacks its name."""
        file = self.file_of(test)
        if not file.is_file():
            return False
        if digest_of(file) == self.state.tests.get(Path(os.path.normpath(file))):
            return True
        name = test.rpartition("::")[2].partition("[")[0]
        return re.search(rf"\b{re.escape(name)}\b", file.read_text(errors="replace")) is not None


def save_baseline(
    data_dir: Path,
    begin: State,
    suite: Suite,
    passed: Collection[str],
    failed: Collection[str],
) -> None:
    """Write down, at the end of a covered run, what its tests saw; keep what others saw before.

    ``begin`` is the state when the run began: what was changed while it ran, its tests have not
    seen. The sources are read now: the harvest has just compared them with the containers'.
    """
    contexts = Contexts.of(data_dir)
    try:
        before = load_baseline(data_dir)
    except CoverageError:
        before = ()
    ran = {*passed, *failed}
    earlier = [
        replace(
            run,
            passed=frozenset(t for t in run.passed - ran if run.may_have(t)),
            green=frozenset(t for t in run.green.difference(passed) if run.may_have(t)),
        )
        for run in before
    ]
    # Of a file without a line nothing is known: it may be run where the spy is not. What an
    # earlier run has loaded is a source for this one, too, of which its tests ran nothing.
    loaded = {file for file in contexts.files if contexts.has_run(file)}
    loaded |= {file for run in earlier if run.passed for file in run.state.sources}
    state = begin.with_sources(sorted(loaded))
    new = CoveredRun(
        name=run_of(data_dir),
        state=state,
        suite=suite,
        passed=frozenset(passed),
        green=frozenset(passed),
        digests={file: digest_of(file) for file in state.sources},
        data_file=_data_file(data_dir, run_of(data_dir)),
    )
    kept = [run for run in earlier if (run.passed or run.green) and run.name != new.name]
    runs = [new, *kept][:_MOST_RUNS]
    try:
        _keep_data(data_dir, runs)
    except OSError:  # on a full disk: of its tests nothing is known, and the next choice says so
        runs.remove(new)
    Store(data_dir, _NAME).write({"version": _VERSION, "runs": [_run_written(r) for r in runs]})


def load_baseline(data_dir: Path) -> tuple[CoveredRun, ...]:
    """Return what covered runs left, the newest first; raise CoverageError when there is nothing.

    No test is known by two of them.
    """
    found = Store(data_dir, _NAME).read()
    if found.get("version") == _VERSION:
        return tuple(_run_read(data_dir, run) for run in found["runs"])
    if not found:
        Contexts.of(data_dir)  # which says so where there was no covered run at all
    raise CoverageError(
        f"what covered runs saw is {'kept in another form here' if found else 'not on record'}",
        where=str(data_dir / f"{_NAME}.json"),
        todo="run all tests once under the spy: pytest --nomock-sidecar-coverage",
    )


def run_of(data_dir: Path) -> str:
    """Return the name of the covered run that the folder belongs to; "" without one."""
    try:
        return (data_dir / RUN_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _data_file(data_dir: Path, run: str) -> Path:
    return data_dir / _FOLDER / f"{run}.coverage"


def _keep_data(data_dir: Path, runs: Collection[CoveredRun]) -> None:
    """Keep the data of the newest run beside that of the others: the next run removes its own."""
    kept = {run.data_file for run in runs}
    (data_dir / _FOLDER).mkdir(exist_ok=True)
    for file in (data_dir / _FOLDER).iterdir():
        if file not in kept:
            file.unlink()
    new = _data_file(data_dir, run_of(data_dir))
    new.unlink(missing_ok=True)
    try:
        new.hardlink_to(data_dir / DATA_FILE)  # which is never written to again
    except OSError:
        shutil.copyfile(data_dir / DATA_FILE, new)


def _run_written(run: CoveredRun) -> dict[str, Any]:
    state, suite = run.state, run.suite
    return {
        "name": run.name,
        "passed": sorted(run.passed),
        "green": sorted(run.green),
        "suite": {
            "root": str(suite.root),
            "folders": [str(folder) for folder in suite.folders],
            "config_file": str(suite.config_file) if suite.config_file else None,
        },
        "compose": _written(state.compose),
        "config": dict(state.config),
        "inputs": _written(state.inputs),
        "tests": _written(state.tests),
        "sources": {
            str(file): {"digest": run.digests[file], "blocks": _blocks_written(blocks)}
            for file, blocks in state.sources.items()
        },
    }


def _run_read(data_dir: Path, found: Mapping[str, Any]) -> CoveredRun:
    sources, suite = found["sources"], found["suite"]
    return CoveredRun(
        name=found["name"],
        state=State(
            compose=_read(found["compose"]),
            config=found["config"],
            inputs=_read(found["inputs"]),
            tests=_read(found["tests"]),
            sources={Path(file): _blocks_read(s["blocks"]) for file, s in sources.items()},
        ),
        suite=Suite(
            Path(suite["root"]),
            tuple(map(Path, suite["folders"])),
            Path(suite["config_file"]) if suite["config_file"] else None,
        ),
        passed=frozenset(found["passed"]),
        green=frozenset(found.get("green", found["passed"])),
        digests={Path(file): s["digest"] for file, s in sources.items()},
        data_file=_data_file(data_dir, found["name"]),
    )


def _written(files: Mapping[Path, str]) -> dict[str, str]:
    return {str(path): digest for path, digest in sorted(files.items())}


def _read(files: Mapping[str, str]) -> dict[Path, str]:
    return {Path(path): digest for path, digest in files.items()}


def _blocks_written(blocks: Mapping[str, Block]) -> dict[str, list[Any]]:
    return {n: [b.digest, b.signature, b.reach, b.lines] for n, b in blocks.items()}


def _blocks_read(blocks: Mapping[str, list[Any]]) -> dict[str, Block]:
    return {
        name: Block(digest, signature, reach, tuple((first, last) for first, last in lines))
        for name, (digest, signature, reach, lines) in blocks.items()
    }
