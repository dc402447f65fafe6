"""PostgreSQL through a pool: every use has a deadline, and an absent database is `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from shared import tracing
from shared.connecting import AsyncConnection as Connection
from shared.errors import Unavailable
from shared.severing import sever
from shared.waits import DatabaseWaits, whole_ms

# It is the database that ended the connection, but psycopg files this one elsewhere.
_LOST = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,
)


class Pool(AsyncConnectionPool[Connection]):
    """A pool, and how long it may be used."""

    waits: DatabaseWaits


def pool(
    conninfo: str, waits: DatabaseWaits, *, max_size: int = 10, options: str = "", **kwargs: Any
) -> Pool:
    """Return a closed pool: open it in the application's lifespan.

    `options` are the session's. Connections that died, as in a restart of the database, are
    replaced before they are handed out.
    """

    async def check(conn: Connection) -> None:
        try:
            with _severed_after(conn, waits.check_s), tracing.quiet():
                await AsyncConnectionPool.check_connection(conn)
        except psycopg.Error:
            # Where one has died, the others have mostly, too; found one by one, the pool would
            # pause between them, longer each time.
            await made.drain()
            raise

    trying: set[asyncio.Task[None]] = set()

    def failed(_: Pool) -> None:
        task = asyncio.create_task(try_again())
        trying.add(task)
        task.add_done_callback(trying.discard)

    async def try_again() -> None:
        await asyncio.sleep(waits.reconnect_s)
        if made.get_stats()["requests_waiting"]:
            # To ask is what makes it try; what comes of it is for who waited longer.
            with suppress(psycopg.OperationalError):
                await made.putconn(await made.getconn(timeout=0.001))

    made = Pool(
        conninfo,
        connection_class=Connection,
        min_size=1,
        max_size=max_size,
        timeout=waits.connection_s,
        # No tries in the background, whose pauses would outlast the trouble: each caller makes the
        # pool try once, and then `try_again` does as long as somebody waits.
        reconnect_timeout=0,
        reconnect_failed=failed,
        open=False,
        check=check,
        kwargs={
            "row_factory": dict_row,
            "connect_timeout": waits.connect_s,
            "options": f"{_options(waits)} {options}",
            **kwargs,
        },
    )
    made.waits = waits
    return made


def _options(waits: DatabaseWaits) -> str:
    # What the database does when a service can no longer tell it anything: a statement whose client
    # has gone ends, instead of waiting on for its lock; a transaction that nobody goes on with,
    # since the service is frozen or cut off, gives its locks back.
    return (
        f"-c client_connection_check_interval={whole_ms(waits.client_check_s)}"
        f" -c idle_in_transaction_session_timeout={whole_ms(waits.idle_s)}"
    )


@asynccontextmanager
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    """Hand out a connection in a transaction; raise `Unavailable` when it is not over in time.

    Errors that the statements caused themselves, such as a unique key, pass through.
    """
    try:
        async with pool.connection() as conn:
            with _severed_after(conn, pool.waits.transaction_s):
                async with conn.transaction():
                    yield conn
    except _LOST as error:
        raise Unavailable("the database", f"{type(error).__name__}: {error}".strip()) from error


@contextmanager
def _severed_after(conn: Connection, delay_s: float) -> Iterator[None]:
    # Cancelling the task would first ask the database to cancel the statement, over the same slow
    # network. A socket shut down ends the statement now, and the pool throws the connection away.
    timer = asyncio.get_running_loop().call_later(delay_s, sever, conn)
    try:
        yield
    finally:
        timer.cancel()
