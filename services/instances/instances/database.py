"""The database as one tenant sees it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from shared import database, settings
from shared.database import Connection, Pool
from shared.waits import DatabaseWaits, whole_ms


def pool(waits: DatabaseWaits) -> Pool:
    """Return the closed pool of the role that owns nothing, so that row-level security binds it."""
    size = int(settings.number("POOL_SIZE", 5))
    options = (
        f"-c lock_timeout={whole_ms(waits.lock_s)}"
        f" -c statement_timeout={whole_ms(waits.statement_s)}"
    )
    return database.pool(settings.text("DATABASE_URL"), waits, max_size=size, options=options)


@asynccontextmanager
async def transaction(pool: Pool, tenant: UUID) -> AsyncIterator[Connection]:
    """Open a transaction that sees and writes the rows of `tenant` only."""
    async with database.connection(pool) as conn:
        # true: for this transaction; the connection's next user starts with nobody.
        await conn.execute("SELECT set_config('app.tenant', %s, true)", [str(tenant)])
        yield conn
