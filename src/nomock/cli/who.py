"""What the last covered run tells of single lines: who ran them, and which only a fault reached."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from nomock.baggage import test_and_fault
from nomock.cli.show import print_json
from nomock.config import Settings
from nomock.coverage.affected import (
    as_ranges,
    digest_of,
    load_baseline,
    resilience,
    run_of,
    what_ran,
)
from nomock.coverage.harvest.contexts import Contexts
from nomock.coverage.session import data_dir
from nomock.errors import CoverageError
from nomock.project import Project, build_folders, resolve


def place(text: str) -> tuple[Path, int]:
    """Read ``FILE:LINE``."""
    file, _, line = text.rpartition(":")
    if not file or not line.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not FILE:LINE")
    return Path(file), int(line)


def who_tests(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the tests that ran a line in the last covered run."""
    contexts = Contexts.of(data_dir(settings))
    named, line = chosen.place
    file = Path.cwd().joinpath(named).resolve()
    if file not in contexts.files:
        there = file.is_file()
        raise CoverageError(
            "the last covered run has nothing of this file" if there else "there is no such file",
            where=str(file),
            todo="name one that a covered service ran: nomock docs coverage says which those are",
        )
    ran = what_ran(contexts, file, line)
    where = f"{named}:{as_ranges(range(ran.first, ran.last + 1))}"
    if chosen.json:
        by = [dict(zip(("test", "fault"), test_and_fault(c), strict=True)) for c in ran.contexts]
        block = {"first": ran.first, "last": ran.last, "is_executable": ran.executable}
        print_json({"file": str(file), **block, "by": by, "notes": [*_notes(settings, file)]})
        return 0
    if ran.contexts:
        tests = {test for test, _ in map(test_and_fault, ran.contexts)} - {""}
        print(f"{where} ran in {_count(len(tests))}" if tests else f"{where} ran in no test")
        for context in sorted(ran.contexts):
            test, fault = test_and_fault(context)
            name = test or "(at start-up or in the background, for no test)"
            print(f"  {name}" + (f"  while {fault}" if fault else ""))
    elif ran.executable:
        print(f"{where} did not run")
    else:
        print(f"{where} is nothing that runs: a comment, a docstring or an empty line")
    for note in _notes(settings, file):
        print(note)
    return 0


def show_resilience(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the lines that only a fault reached, and the error handlers that nothing reached."""
    contexts = Contexts.of(data_dir(settings))
    project = resolve(settings)
    only, handlers = [], []
    for file in sorted(file for file in contexts.files if file.is_file()):
        found = resilience(contexts, file)
        where = f"{_owner(project, file)}: {_shown(settings, file)}"
        if found.only_under_fault:
            only.append(f"{where}:{as_ranges(found.only_under_fault)}")
        if found.handlers_not_run:
            handlers.append(f"{where}:{as_ranges(found.handlers_not_run)}")
    if chosen.json:
        print_json({"only_under_fault": sorted(only), "handlers_not_run": sorted(handlers)})
        return 0
    for title, lines in (
        ("lines that ran only while a fault was on", only),
        ("lines of error handlers that never ran", handlers),
    ):
        print(f"{title}:" + ("" if lines else " none"))
        for line in sorted(lines):
            print(f"  {line}")
    return 0


def _notes(settings: Settings, file: Path) -> Iterator[str]:
    folder = data_dir(settings)
    try:
        [run] = [run for run in load_baseline(folder) if run.name == run_of(folder)]
    except (CoverageError, ValueError):
        yield "whether the file changed since the covered run is not on record"
        return
    covered = run.digests.get(file)
    if covered is not None and covered != digest_of(file):
        yield "the file changed since the covered run: its lines may have other numbers now"


def _owner(project: Project, file: Path) -> str:
    """Name the service that a source belongs to, or all that have it as an additional context."""
    folders = {n: build_folders(s.config.get("build") or {}) for n, s in project.services.items()}
    own = [n for n, found in folders.items() if found and file.is_relative_to(found[0])]
    every = [n for n, found in folders.items() if any(file.is_relative_to(f) for f in found)]
    return ", ".join(own or every) or "(mounted)"


def _shown(settings: Settings, file: Path) -> str:
    root = settings.root
    return str(file.relative_to(root) if file.is_relative_to(root) else file)


def _count(number: int) -> str:
    return f"{number} tests" if number != 1 else "1 test"
