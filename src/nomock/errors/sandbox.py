"""What goes wrong with sandboxes, and in the clusters that they are in."""

from __future__ import annotations

from collections.abc import Sequence

from nomock.errors.base import NomockError
from nomock.errors.target import TargetError


class ClusterError(TargetError):
    """A cluster does not do what was asked."""


class ClusterMissingError(ClusterError):
    """No cluster answers."""


class ClusterForbiddenError(ClusterError):
    """The cluster does not know this user, or does not let it do this."""


class PromotionError(NomockError):
    """A stack could not be promoted; ``cause`` is in a few words why."""

    def __init__(self, cause: str, *, where: str, seen: str = "", todo: str = "") -> None:
        self.cause = cause
        super().__init__(cause, where=where, seen=seen, todo=todo)


class NotPromotableError(PromotionError):
    """What the compose file says cannot stand in a sandbox."""


class UntranslatedError(PromotionError):
    """Keys of the compose file have no translation, and the run asked for that to be an error."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        """``keys``: service and key of each."""
        self.keys = list(keys)
        super().__init__(
            f"keys without a translation: {len(self.keys)}",
            where="compose file",
            seen="\n".join(f"{service}: {key}" for service, key in self.keys),
            todo="the table above says why, and what each means; change the file, or go on without "
            "--strict",
        )


class ManifestError(PromotionError):
    """What was rendered is not valid for the version of the cluster."""

    def __init__(self, version: str, mistakes: Sequence[str]) -> None:
        """``mistakes``: object, path and what is allowed, of each."""
        self.mistakes = list(mistakes)
        super().__init__(
            f"not valid for Kubernetes {version}",
            where="rendered objects",
            seen="\n".join(self.mistakes),
            todo="change what the compose file says there; where it says nothing of it, the "
            "mistake is nomock's: tell its developers",
        )
