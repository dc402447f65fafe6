"""The database as one tenant sees it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from shared import database, settings
from shared.database import Connection, Pool

# For a connection, for a lock, for a statement, for the whole transaction: each shorter than the
# next, so that the log names what was really slow. A caller waits 3 s for the database at most.
WAIT_S = 0.8
LOCK_MS = 1500
STATEMENT_MS = 1800
DEADLINE_S = 2.0

_OPTIONS = f"-c lock_timeout={LOCK_MS} -c statement_timeout={STATEMENT_MS}"


def pool() -> Pool:
    """Return the closed pool of the role that owns nothing, so that row-level security binds it."""
    size = int(settings.number("POOL_SIZE", 5))
    return database.pool(
        settings.text("DATABASE_URL"), max_size=size, wait_s=WAIT_S, options=_OPTIONS
    )


@asynccontextmanager
async def transaction(pool: Pool, tenant: UUID) -> AsyncIterator[Connection]:
    """Open a transaction that sees and writes the rows of `tenant` only."""
    async with database.connection(pool, DEADLINE_S) as conn:
        # true: for this transaction; the connection's next user starts with nobody.
        await conn.execute("SELECT set_config('app.tenant', %s, true)", [str(tenant)])
        yield conn
