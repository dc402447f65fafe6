"""What variables the Python of a service reads, by its source alone: nothing of it is run."""

from nomock.contracts.reads.link import Program
from nomock.contracts.reads.model import Read

__all__ = ["Program", "Read"]
