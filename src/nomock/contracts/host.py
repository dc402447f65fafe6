"""A service as another one knows it: the interface of compose's, and of Kubernetes' Services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from nomock.contracts.fault import Fault
from nomock.contracts.known import KnownImage

UNKNOWN = "\ufffd"
"""Stands for what is not known of a value: it is set, and by what is not among the files."""


class Host(ABC):
    """What may be asked of a service that a value names."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Its own name."""

    @property
    @abstractmethod
    def known(self) -> KnownImage | None:
        """What is known of its image; None of one that is not known."""

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str | None]:
        """What the service itself is told."""

    @property
    @abstractmethod
    def has_scripts(self) -> bool:
        """Whether scripts may make users and databases: mounted, or in an image of its own."""

    @abstractmethod
    def hides(self, variable: str) -> bool:
        """Tell whether a variable of its own is of a Secret, whose value is not to be shown."""

    @abstractmethod
    def unreached(self, named: str) -> Fault | None:
        """Return why it is not reached by the name that a value has; None where it is."""

    @abstractmethod
    def wrong_port(self, named: str, port: int | None, scheme: str) -> Fault | None:
        """Return why it is not reached at a port, or at the scheme's own; None where it is."""
