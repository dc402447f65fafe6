"""The database as one tenant sees it, and the tenant in whose name a request comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request

from shared import database, settings, tokens
from shared.database import Connection, Pool
from shared.problems import Problem
from shared.waits import DatabaseWaits, whole_ms


def pool(waits: DatabaseWaits, max_size: int) -> Pool:
    """Return the closed pool of a role that owns nothing, so that row-level security binds it."""
    options = (
        f"-c lock_timeout={whole_ms(waits.lock_s)}"
        f" -c statement_timeout={whole_ms(waits.statement_s)}"
    )
    return database.pool(settings.text("DATABASE_URL"), waits, max_size=max_size, options=options)


@asynccontextmanager
async def transaction(pool: Pool, tenant: UUID) -> AsyncIterator[Connection]:
    """Open a transaction that sees and writes the rows of `tenant` only."""
    async with database.connection(pool) as conn:
        await act_for(conn, tenant)
        yield conn


async def act_for(conn: Connection, tenant: UUID) -> None:
    """See and write the rows of `tenant` only, until the transaction ends."""
    # true: for this transaction; the connection's next user starts with nobody.
    await conn.execute("SELECT set_config('app.tenant', %s, true)", [str(tenant)])


@dataclass(frozen=True)
class Caller:
    """The tenant in whose name a request comes, with the scope that the route needs."""

    pool: Pool
    tenant: UUID
    tier: str


class Requires:
    """Dependency: a valid token with `scope`; the application's state has verifier and pool."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(
        self, request: Request, authorization: Annotated[str | None, Header()] = None
    ) -> Caller:
        claims = await request.app.state.verifier.verify(tokens.bearer(authorization))
        claims.require(self.scope)
        try:
            tenant = UUID(claims.tenant)
        except ValueError as error:
            raise Problem(403, "unknown_tenant", "the token is of no tenant") from error
        return Caller(request.app.state.pool, tenant, claims.tier)
