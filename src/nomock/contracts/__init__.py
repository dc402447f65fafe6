"""Contracts between the parts of a project: what each expects of the others, and what it gets.

Found by reading, before anything starts: the environment that services read, and that they get.
"""

from nomock.contracts.environment import environment_findings
from nomock.contracts.finding import Finding
from nomock.contracts.kept import keep

__all__ = ["Finding", "environment_findings", "keep"]
