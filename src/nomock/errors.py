"""Every error of nomock: what happened, where, what was last seen, and what to do.

NomockError
├── ConfigError             a setting or a compose file is wrong
│   ├── UnknownServiceError     a service was named that the stack does not have
│   └── ForeignStackError       the project name belongs to another compose file
├── EngineError             the container engine does not do what was asked
│   ├── EngineMissingError      no engine answers
│   ├── EngineForbiddenError    the engine's socket may not be opened
│   └── ComposeError            a compose command failed
│       └── BuildError              an image does not build
├── NotReadyError           the stack did not become ready
│   └── ServiceDiedError        a service ended, loops or is unhealthy: no use waiting
├── LockedError             another run owns the stack and did not let go in time
└── CoverageError           what the services ran cannot be told
    ├── CanaryError             a service's spy does not report what runs
    ├── NotCoverableError       a service runs no Python that the spy can record
    ├── NoCoverageError         a service reported no line
    └── UnmappedSourceError     a file that ran is not among the sources here
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


class NomockError(Exception):
    """The base of all errors: four parts as attributes, one text made of them.

    ``what`` and ``where`` are never empty. ``seen`` is what was last observed, several lines at
    the most; ``todo`` is the next command or change.
    """

    def __init__(self, what: str, *, where: str, seen: str = "", todo: str = "") -> None:
        super().__init__(what, where, seen, todo)
        self.what = what
        self.where = where
        self.seen = seen
        self.todo = todo

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}"]
        if self.seen:
            lines += [f"  {line}" for line in self.seen.rstrip().splitlines()]
        if self.todo:
            lines.append(f"-> {self.todo}")
        return "\n".join(lines)


class ConfigError(NomockError):
    """A setting or a compose file is wrong."""


class UnknownServiceError(ConfigError, KeyError):
    """A service was named that the stack does not have."""

    def __init__(self, name: str, known: Iterable[str], *, where: str) -> None:
        self.name = name
        self.known = sorted(known)
        close = get_close_matches(name, self.known, n=1)
        super().__init__(
            f"there is no service {name!r}",
            where=where,
            seen=f"the services are: {', '.join(self.known)}",
            todo=f"did you mean {close[0]!r}?" if close else "name one of them",
        )

    # KeyError's own __str__ shows the repr of its first argument.
    __str__ = NomockError.__str__


class ForeignStackError(ConfigError):
    """The project name is taken by a stack of another compose file: refused, not adopted."""

    def __init__(self, project: str, *, theirs: str, ours: str) -> None:
        self.project = project
        super().__init__(
            "this project name belongs to a stack of another compose file",
            where=f"stack {project}",
            seen=f"running from {theirs}\nasked for    {ours}",
            todo="give this one a name of its own: COMPOSE_PROJECT_NAME, or "
            f"project in [tool.nomock]; or end the other: docker compose -p {project} down",
        )


class EngineError(NomockError):
    """The container engine does not do what was asked."""


class EngineMissingError(EngineError):
    """No engine answers."""


class EngineForbiddenError(EngineError):
    """The engine's socket may not be opened by this user."""


class ComposeError(EngineError):
    """A compose command failed; ``seen`` has its last lines."""


class BuildError(ComposeError):
    """An image does not build; ``seen`` has the build's last lines."""


class NotReadyError(NomockError):
    """The stack did not become ready before the deadline."""


class ServiceDiedError(NotReadyError):
    """A service ended, restarts in a loop or is unhealthy, so that waiting has no use."""

    def __init__(self, service: str, what: str, *, log: str) -> None:
        self.service = service
        self.log = log
        super().__init__(
            what,
            where=f"service {service}",
            seen=log or "(it logged nothing)",
            todo=f"see all of it: nomock logs {service}",
        )


class LockedError(NomockError):
    """Another run owns the stack and did not let go in time."""


class CoverageError(NomockError):
    """What the services ran cannot be told."""


class CanaryError(CoverageError):
    """Services whose spy does not report what runs: found out before the first test."""

    def __init__(self, services: Mapping[str, tuple[str, str]]) -> None:
        """``services``: name -> what was seen, and what to do."""
        self.services = sorted(services)
        super().__init__(
            "the spy does not report what runs",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(
                f"{name}: {services[name][0]}\n  -> {services[name][1]}" for name in self.services
            ),
            todo="all causes that there are: docs/coverage.md",
        )


class NotCoverableError(CoverageError):
    """Services run nothing that the spy can record, each for its reason."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.services = sorted(reasons)
        super().__init__(
            "cannot be covered",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {reasons[name]}" for name in self.services),
            todo="change what the reason names, or leave the service out: nomock overlay SERVICE…",
        )


class NoCoverageError(CoverageError):
    """Services that were to be covered reported no line: never shown as 0 %."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self.services = sorted(services)
        super().__init__(
            "reported no line",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {services[name]}" for name in self.services),
            todo=f"nomock logs {self.services[0]} shows what the spy said; the causes there are: "
            "docs/coverage.md",
        )


class UnmappedSourceError(CoverageError):
    """Files that a service ran are not among the sources it is built from, or differ from them."""

    def __init__(self, service: str, files: Mapping[str, str]) -> None:
        self.service = service
        self.files = sorted(files)
        super().__init__(
            "it ran files that are not those it is built from",
            where=f"coverage of {service}",
            seen="\n".join(f"{path}: {files[path]}" for path in self.files),
            todo="where they differ, the image is old: build it again; where they are not the "
            "app's, name the folders that are: NOMOCK_SPY_ROOTS; to go on without them: "
            "--allow-unmapped",
        )
