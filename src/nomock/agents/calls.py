"""The commands of a person, called for a program: each in a process of its own, answered as data.

So an answer is what a person would be told, and what a command imports, caches or breaks is gone
with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nomock.errors import NomockError

_MOST_LINES = 30
_MOST_FAILURES = 20
_RED = ("failure", "error")

Answer = dict[str, Any]


def told(*command: str) -> Any:
    """Return the JSON that a command of nomock prints; raise NomockError with what it says."""
    done = _run([sys.executable, "-m", "nomock.cli", *command])
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip() or done.stdout.strip()
        raise NomockError(
            f"nomock {command[0]} did not answer",
            where=" ".join(command),
            seen="\n".join(said.splitlines()[-_MOST_LINES:]),
        ) from None


def tested(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Answer:
    """Run pytest, and return how many tests ended how, and of each that failed why.

    ``causes`` of a failure are those of ``nomock diagnose``, the likeliest first; ``said`` is what
    pytest printed last, where no test ran at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        options = ["-q", "--no-header", f"--junitxml={report}", "-o", "junit_family=xunit1"]
        done = _run([sys.executable, "-m", "pytest", *options, *arguments], environ)
        found: Answer = {"exit_code": done.returncode}
        cases = _cases(report)
    if not cases:
        return found | {"said": (done.stdout + done.stderr).splitlines()[-_MOST_LINES:]}
    red = [case for case in cases if _message(case) is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    causes = _causes() if red else {}
    return found | {
        "passed": len(cases) - len(red) - skipped,
        "failed": len(red),
        "skipped": skipped,
        "failures": [
            {"test": _id(case), "message": _message(case), **causes.get(_id(case), {})}
            for case in red[:_MOST_FAILURES]
        ],
    }


def listed(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the tests that pytest would run with some arguments, and what else it says."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments]
    lines = [line for line in _run(command).stdout.splitlines() if line.strip()]
    return [line for line in lines if "::" in line and " " not in line], [
        line for line in lines if line.startswith("nomock")
    ]


def _run(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    # Its standard input is not ours: on that the program speaks to us.
    return subprocess.run(
        command,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _cases(report: Path) -> list[ElementTree.Element]:
    """Return the tests of a report of JUnit's form; none where pytest wrote no report."""
    try:
        return list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return []


def _message(case: ElementTree.Element) -> str | None:
    for kind in _RED:
        if (found := case.find(kind)) is not None:
            return (found.get("message") or "").partition("\n")[0]
    return None


def _id(case: ElementTree.Element) -> str:
    """Return the id that pytest has for a test: FILE::CLASS::NAME."""
    file, module = case.get("file", ""), case.get("classname", "")
    inner = module.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join([file, *filter(None, inner.split(".")), case.get("name", "")])


def _causes() -> dict[str, Answer]:
    try:
        failures = told("diagnose", "--json")["failures"]
    except NomockError:
        return {}
    return {f["test"]: {"causes": f["causes"], "evidence": f["evidence"]} for f in failures}
