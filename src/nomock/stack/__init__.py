"""The stack: the compose project that runs, attached to or owned."""

from nomock.stack.database import Postgres
from nomock.stack.records import CONFIGURATION_CHANGED
from nomock.stack.service import Service
from nomock.stack.stack import Stack

__all__ = ["CONFIGURATION_CHANGED", "Postgres", "Service", "Stack"]
