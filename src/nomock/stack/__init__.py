"""The stack: the compose project that runs, attached to or owned."""

from nomock.stack.database import Postgres
from nomock.stack.postgres_service import postgres_candidates, postgres_service
from nomock.stack.service import Service
from nomock.stack.stack import Stack
from nomock.stack.warm import left_warm, replay_overlay

__all__ = [
    "Postgres",
    "Service",
    "Stack",
    "left_warm",
    "postgres_candidates",
    "postgres_service",
    "replay_overlay",
]
