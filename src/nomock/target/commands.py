"""How a command in a container ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExecResult:
    """How a command in a container ended, and what it said on both its streams."""

    exit_code: int
    output: str


@dataclass(frozen=True)
class Executed:
    """How a command in a container ended, and what it said on each of its streams."""

    exit_code: int
    stdout: str
    stderr: str
