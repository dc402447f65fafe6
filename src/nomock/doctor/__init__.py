"""What of a project will make trouble in tests: each with its line, the reason and the cure."""

from nomock.doctor.checks import CHECKS
from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble

__all__ = ["CHECKS", "Seen", "Trouble"]
