"""The values of settings, read from text or TOML; each raises ValueError or TypeError."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nomock.cleanup.rules import read_rules

_STACK_MODES = ("attach", "fresh", "own")
_LANES = ("shared", "stack", "database")
_RESETS = ("never", "test")
_TRACED = ("marked", "all")
_EVIDENCE = ("failing", "all", "off")
_TEST_NAMES = ("off", "warn", "error")
_TARGETS = ("compose", "sandbox")
_PROMOTED = ("sandbox", "release")
# A part of a namespace's name: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_SANDBOX = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"it is one of {', '.join(choices)}")
        return value

    return read


def _sandbox(value: str) -> str:
    if not _SANDBOX.fullmatch(value):
        raise ValueError("it has small letters, digits and hyphens, 32 at the most")
    return value


def _switch(value: str | bool) -> bool:
    if isinstance(value, bool):
        return value
    found = {"true": True, "1": True, "yes": True, "on": True}
    found |= {"false": False, "0": False, "no": False, "off": False, "": False}
    if value.lower() not in found:
        raise ValueError("it is true or false")
    return found[value.lower()]


def _patterns(value: str | Sequence[str]) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else tuple(value)
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return tuple(filter(None, found))


def _globs(value: str | Sequence[str]) -> tuple[str, ...]:
    # A key of Redis has colons: NOMOCK_LEAKS_IGNORE="public.beats;sessions:*"
    return tuple(filter(None, value.split(";") if isinstance(value, str) else value))


def _names(value: str | Sequence[str]) -> list[str]:
    return value.split(os.pathsep) if isinstance(value, str) else list(value)


def _positive(value: str | float) -> float:
    number = float(value)
    if not number > 0:  # NaN is not
        raise ValueError("it is more than 0")
    return number


def _count(value: str | int) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("it is 0 or more")
    return number


def _positive_count(value: str | int) -> int:
    number = _count(value)
    if number == 0:
        raise ValueError("it is 1 or more")
    return number


def _host(value: str) -> str:
    if not value or "/" in value or value.startswith("[") or value.count(":") == 1:
        raise ValueError("it is a name or an address: no URL, no port, no brackets")
    return value


def _probes(value: str | Mapping[str, str]) -> dict[str, str]:
    if isinstance(value, str):  # NOMOCK_PROBES="auth=http:8000/health;db=none"
        pairs = [part.partition("=") for part in value.split(";") if part]
        return {name.strip(): probe.strip() for name, _, probe in pairs}
    if wrong := [name for name, probe in value.items() if not isinstance(probe, str)]:
        raise TypeError(f"the probe of {wrong[0]} is no text")
    return dict(value)


def _folders(value: str | Mapping[str, str | Sequence[str]]) -> dict[str, list[str]]:
    if isinstance(value, str):  # NOMOCK_COVERAGE_SOURCES="worker=../worker:../lib;web=../web"
        pairs = [part.partition("=") for part in value.split(";") if part]
        return {name.strip(): _names(folders) for name, _, folders in pairs}
    return {name: _names(folders) for name, folders in value.items()}


def _promote(value: str | Mapping[str, str]) -> dict[str, str]:
    """Return what a promotion makes, by context; "" is every one that is not named."""
    if isinstance(value, str):  # promote = "release", NOMOCK_PROMOTE="prod=release;dev=sandbox"
        pairs = [part.rpartition("=") for part in value.split(";") if part]
        value = {context: kind for context, _, kind in pairs}
    for kind in value.values():
        _one_of(_PROMOTED)(kind)
    return dict(value)


def _reasons(value: str | Mapping[str, str]) -> dict[str, str]:
    if isinstance(value, str):  # NOMOCK_PARITY_REASONS="tests/test_a.py::*=no pause;b/*.py=other"
        pairs = [part.rpartition("=") for part in value.split(";") if part]
        value = {pattern: reason for pattern, _, reason in pairs}
    return {str(pattern): str(reason) for pattern, reason in value.items()}


CONVERTERS: Mapping[str, Any] = {
    "target": _one_of(_TARGETS),
    "sandbox": _sandbox,
    "context": str,
    "contexts": _names,
    "stack": _one_of(_STACK_MODES),
    "lanes": _one_of(_LANES),
    "reset": _one_of(_RESETS),
    "leaks_ignore": _globs,
    "files": _names,
    "project": str,
    "timeout_s": _positive,
    "log_lines": _count,
    "evidence": _one_of(_EVIDENCE),
    "evidence_runs": _positive_count,
    "evidence_database": _switch,
    "redact": _patterns,
    "host": _host,
    "browser": str,
    "postgres": str,
    "probes": _probes,
    "coverage_overlay": str,
    "coverage_report": str,
    "coverage_sources": _folders,
    "traces_overlay": str,
    "edges_overlay": str,
    "traced": _one_of(_TRACED),
    "test_names": _one_of(_TEST_NAMES),
    "tools_image": str,
    "promote": _promote,
    "parity_reasons": _reasons,
    "cleanup": read_rules,
}
