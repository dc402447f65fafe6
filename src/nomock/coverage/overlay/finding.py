"""What was found of a service: the Python it runs, and how it is covered or why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nomock.coverage.python_startup import obstacle, obstacle_in

OLDEST = (3, 9)
_MONITORING = (3, 12)
_NOT_PYTHON = "its command is not Python: "
# What in a shell's text has a command behind it.
_BEGINS = {"&&", "||", ";", "&", "|", "(", "{", "exec", "do", "then", "else", ";;"}


@dataclass(frozen=True)
class Python:
    """A Python as it describes itself in a container."""

    version: tuple[int, int, int]
    implementation: str
    libc: str
    """glibc or musl."""
    machine: str

    def __str__(self) -> str:
        name = {"cpython": "CPython", "pypy": "PyPy"}.get(self.implementation, self.implementation)
        return f"{name} {'.'.join(map(str, self.version))}"

    @property
    def is_known(self) -> bool:
        """Whether the spy can record in it at all."""
        return self.implementation == "cpython" and self.version >= OLDEST

    @property
    def has_monitoring(self) -> bool:
        """Whether it has sys.monitoring."""
        return self.version >= _MONITORING

    @property
    def kind(self) -> str:
        """What compiled modules are for: cp311-glibc-x86_64."""
        return f"{self.tag}-{self.libc}-{self.machine}"

    @property
    def tag(self) -> str:
        """The name that wheels of compiled modules have for it: cp311."""
        return f"cp{self.version[0]}{self.version[1]}"


@dataclass(frozen=True)
class Finding:
    """What was found of one service: how it is covered, or why it cannot be."""

    service: str
    python: Python | None = None
    reason: str = ""
    """Why it is left out; empty where it can be covered."""
    own_path: str = ""
    """The PYTHONPATH that the compose file or the image gives it."""
    others: tuple[Python, ...] = ()
    """Other Pythons that its command may choose."""
    is_doubtful: bool = False
    """Whether it is left out only since nothing is known to start the Python that is in it."""

    @property
    def core(self) -> str | None:
        """What records in it: sys.monitoring or coverage.py."""
        if self.reason or self.python is None:
            return None
        return "sys.monitoring" if self.python.has_monitoring else "coverage.py"

    @property
    def with_tracer(self) -> list[Python]:
        """The kinds of Python that it may run and that need coverage.py's tracer."""
        if self.core is None or self.python is None:
            return []
        may_run = {p.kind: p for p in (self.python, *self.others) if p.is_known}
        return [python for _, python in sorted(may_run.items()) if not python.has_monitoring]


def finding_of(name: str, words: Sequence[str], answer: Mapping[str, Any]) -> Finding:
    """Return what a service's command line and the answer from its container say.

    Of several Pythons that a shell's text starts, the first that can be covered counts.
    """
    pythons, others = answer["pythons"], tuple(map(_python, answer["others"]))
    first, *rest = pythons
    begun = [p for p in rest if answer["starter"] and words[p["at"] - 1] in _BEGINS]
    findings = [_finding(name, words, answer, found) for found in (first, *begun)]
    chosen = next((finding for finding in findings if not finding.reason), findings[0])
    if chosen.reason and first["at"] is None and answer["starter"]:
        known = next((python for python in others if python.is_known), None)
        if known is not None and not obstacle_in(words):
            chosen = Finding(name, known)
    return replace(chosen, others=others)


def _finding(
    name: str, words: Sequence[str], answer: Mapping[str, Any], found: Mapping[str, Any]
) -> Finding:
    python = None if "failed" in found["is"] else _python(found["is"])
    reason = reason_of(words, found, answer["starter"], python)
    doubtful = python is not None and python.is_known and reason.startswith(_NOT_PYTHON)
    return Finding(name, python, reason, is_doubtful=doubtful)


def _python(answer: Mapping[str, Any]) -> Python:
    version = answer["version"]
    return Python(
        (version[0], version[1], version[2]),
        answer["implementation"],
        answer["libc"],
        answer["machine"],
    )


def reason_of(
    words: Sequence[str], found: Mapping[str, Any], starter: str, python: Python | None
) -> str:
    """Return why a Python that a service may run cannot be covered, empty where it can.

    ``starter`` is the shell or the runner among its words.
    """
    at, program, interpreter = found["at"], found["program"], found["interpreter"]
    if python is None:
        return f"{interpreter} does not run: {found['is']['failed']}"
    if at is None and not starter:
        return _NOT_PYTHON + (words[0] if words else "it has none")
    if python.implementation != "cpython":
        return f"it runs {python}, and only CPython can be covered"
    if python.version < OLDEST:
        return f"it runs {python}, and 3.9 is the oldest that can be covered"
    if at is None:
        return obstacle_in(words)
    if program == interpreter:
        return obstacle(words[:at], words[at + 1 :], "its command")
    return obstacle(words[:at], found["options"], f"the #! line of {program}")
