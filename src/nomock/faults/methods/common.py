"""What the methods of ``faults`` have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from nomock.faults.active import ActiveFault
from nomock.faults.fault import Fault


class Methods(ABC):
    """A group of methods of ``faults``: each has the name and the arguments of a kind of fault."""

    @abstractmethod
    def on(self, fault: Fault) -> ActiveFault:
        """Return a fault as a block of the test."""
