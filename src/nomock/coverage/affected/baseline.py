"""What a covered run leaves for the choice of tests, beside coverage.py's data: blocks.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.coverage.affected.blocks import Block
from nomock.coverage.affected.state import State, Suite, digest_of
from nomock.coverage.harvest.contexts import Contexts
from nomock.coverage.harvest.folder import RUN_FILE
from nomock.errors import CoverageError
from nomock.project import Store

_VERSION = 1
_NAME = "blocks"


@dataclass(frozen=True)
class Baseline:
    """The files as the covered run had them, and the tests that passed in it."""

    state: State
    suite: Suite
    passed: frozenset[str]
    """The ids of the tests that ran and passed: of any other it is not known what it needs."""
    digests: Mapping[Path, str]
    """The digest of each source: where it is another one now, line numbers may have moved."""


def save_baseline(data_dir: Path, begin: State, suite: Suite, passed: Iterable[str]) -> None:
    """Write down, at the end of a covered run, what its tests saw.

    ``begin`` is the state when the run began: what was changed while it ran, its tests have not
    seen. The sources are read now: the harvest has just compared them with the containers'.
    """
    contexts = Contexts.of(data_dir)
    # Of a file without a line nothing is known: it may be run where the spy is not.
    loaded = [file for file in sorted(contexts.files) if contexts.has_run(file)]
    state = begin.with_sources(loaded)
    Store(data_dir, _NAME).write(
        {
            "version": _VERSION,
            "run": run_of(data_dir),
            "passed": sorted(passed),
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
                str(file): {"digest": digest_of(file), "blocks": _blocks_written(blocks)}
                for file, blocks in state.sources.items()
            },
        }
    )


def load_baseline(data_dir: Path) -> Baseline:
    """Return what the last covered run left; raise CoverageError when there is nothing."""
    found = Store(data_dir, _NAME).read()
    # The data and this are written one after the other: half of it belongs to no run.
    if found.get("version") != _VERSION or found["run"] != run_of(data_dir):
        raise CoverageError(
            "what the last covered run had seen is not on record",
            where=str(data_dir),
            todo="run all tests once under the spy: pytest --nomock-sidecar-coverage",
        )
    sources = found["sources"]
    suite = found["suite"]
    return Baseline(
        State(
            compose=_read(found["compose"]),
            config=found["config"],
            inputs=_read(found["inputs"]),
            tests=_read(found["tests"]),
            sources={Path(file): _blocks_read(s["blocks"]) for file, s in sources.items()},
        ),
        Suite(
            Path(suite["root"]),
            tuple(map(Path, suite["folders"])),
            Path(suite["config_file"]) if suite["config_file"] else None,
        ),
        frozenset(found["passed"]),
        {Path(file): s["digest"] for file, s in sources.items()},
    )


def run_of(data_dir: Path) -> str:
    """Return the name of the covered run that the folder belongs to; "" without one."""
    try:
        return (data_dir / RUN_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


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
