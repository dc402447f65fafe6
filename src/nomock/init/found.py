"""What `nomock init` found of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nomock.config import Settings


@dataclass(frozen=True)
class FirstTest:
    """A first test of a service: it asserts what the service was seen to do."""

    name: str
    fixture: str
    body: Sequence[str]
    """Its lines, without their indentation."""
    imports: Sequence[str] = ()
    """The modules of the standard library that it needs."""


@dataclass(frozen=True)
class FoundService:
    """One service, and what it was seen to be."""

    name: str
    kind: str
    """HTTP, database (PostgreSQL), queue (RabbitMQ), worker, …; empty where nobody knows."""
    reached: str
    """Where, and what it answered there."""
    python: str
    """Which one it runs, empty where it runs none that can be covered."""
    server: str
    test: FirstTest | None = None
    why_no_test: str = ""


@dataclass(frozen=True)
class Found:
    """A project as it was found, and what its files are to say."""

    settings: Settings
    folder: Path
    """Where pyproject.toml, the tests and the justfile are, or are to be."""
    services: Sequence[FoundService]
    table: Mapping[str, object] = field(default_factory=dict)
    """What `[tool.nomock]` is to say, beside what it says."""
    contexts: Sequence[Path] = ()
    """The build contexts that nomock's own folders lie in."""
    runner: str = ""
    """What starts a program of the project's environment: ``uv run``, or nothing."""
    installs: str = "pip install nomock"
    """What brings nomock into the project's environment."""
    is_on_github: bool = False
    is_covered: bool = True
    """Whether some service runs a Python that can be covered, as far as that is known."""
