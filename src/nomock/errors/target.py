"""What goes wrong where the services run."""

from __future__ import annotations

from nomock.errors.base import NomockError


class TargetError(NomockError):
    """Where the services run does not do what was asked: the engine, or a cluster."""


class EngineError(TargetError):
    """The container engine does not do what was asked."""


class EngineMissingError(EngineError):
    """No engine answers."""


class EngineGoneError(EngineMissingError):
    """The engine that a run began with does not answer any more: no test left could pass."""


class EngineForbiddenError(EngineError):
    """The engine's socket may not be opened by this user."""


class EngineBusyError(EngineError):
    """The engine went on refusing what it does at another moment, until the deadline."""


class ComposeError(EngineError):
    """A compose command failed; ``seen`` has its last lines."""


class BuildError(ComposeError):
    """An image does not build; ``seen`` has the build's last lines."""
