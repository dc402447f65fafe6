"""What goes wrong with sandboxes, and in the clusters that they are in."""

from __future__ import annotations

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
