"""Mutants as the JSON that reports of other tools read.

Its schema is the one of https://github.com/stryker-mutator/mutation-testing-elements, version 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from nomock.mutation.mutant import Mutant
from nomock.mutation.report.results import Results
from nomock.mutation.verdict import Status, Verdict

_STATUSES = {
    Status.KILLED: "Killed",
    Status.TIMED_OUT: "Timeout",
    Status.SURVIVED: "Survived",
    Status.NO_COVERAGE: "NoCoverage",
    Status.SET_ASIDE: "Ignored",
    Status.NOT_COMPILED: "CompileError",
    Status.ERROR: "RuntimeError",
}
# Where a page of that kind turns from red to yellow to green.
_THRESHOLDS = {"high": 90, "low": 70}


def elements_of(results: Results) -> dict[str, Any]:
    """Return the report as JSON: files with their mutants, and the tests that ran them."""
    files: dict[str, dict[str, Any]] = {}
    tests = {test for v in results.verdicts for test in (*v.covered_by, *v.killed_by)}
    # By their node ids the report of a few thousand mutants would have tens of megabytes.
    ids = {test: str(number) for number, test in enumerate(sorted(tests), 1)}
    for verdict in results.verdicts:
        _file(files, results, verdict.mutant)["mutants"].append(_judged(verdict, ids))
    for mutant in results.left:
        _file(files, results, mutant)["mutants"].append({**_mutant(mutant), "status": "Pending"})
    return {
        "schemaVersion": "2.0",
        "thresholds": _THRESHOLDS,
        "framework": {"name": "nomock", "version": version("nomock")},
        "files": dict(sorted(files.items())),
        "testFiles": _test_files(ids),
    }


def _file(files: dict[str, dict[str, Any]], results: Results, mutant: Mutant) -> dict[str, Any]:
    source = results.sources[mutant.path]
    return files.setdefault(mutant.path, {"language": "python", "source": source, "mutants": []})


def _mutant(mutant: Mutant) -> dict[str, Any]:
    return {
        "id": mutant.id,
        "mutatorName": mutant.operator,
        "replacement": mutant.replacement,
        "location": {
            "start": {"line": mutant.line, "column": mutant.column + 1},
            "end": {"line": mutant.end_line, "column": mutant.end_column + 1},
        },
        "static": not mutant.qualname,
    }


def _judged(verdict: Verdict, ids: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        **_mutant(verdict.mutant),
        "status": _STATUSES[verdict.status],
        "coveredBy": [ids[test] for test in verdict.covered_by],
        "killedBy": [ids[test] for test in verdict.killed_by],
        "duration": round(1000 * verdict.seconds, 1),
    }
    if verdict.note:
        told["statusReason"] = verdict.note
    return told


def _test_files(ids: Mapping[str, str]) -> dict[str, Any]:
    files: dict[str, dict[str, Any]] = {}
    for test, number in ids.items():
        file, _, name = test.partition("::")
        files.setdefault(file, {"tests": []})["tests"].append({"id": number, "name": name or test})
    return files
