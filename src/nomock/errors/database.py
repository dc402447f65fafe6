"""What goes wrong between a test and the stack's PostgreSQL."""

from __future__ import annotations

from nomock.errors.base import NomockError


class PostgresError(NomockError):
    """The stack's PostgreSQL did not do what a test asked of it."""


class SnapshotError(PostgresError):
    """A snapshot of a database could not be taken, or the database not brought back to it."""


class RowsError(PostgresError, AssertionError):
    """The rows that a test waited for did not come; ``seen`` shows the last ones."""


class SessionError(PostgresError, AssertionError):
    """A session that a test steps by hand is not where the test takes it to be."""
