"""What is to be done at `instances`: queued with the event that asks for it, done soon afterwards.

The provider is answered when the task is written, not when it is done: `instances` may be away for
hours. Who dies in the middle of a task rolls it back, and the next one does it again; that this
makes no second instance is for the idempotency key to see (`provisioning`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared import baggage, tracing
from shared.database import Connection, Pool, connection
from shared.errors import Unavailable
from shared.tenants import act_for

Kind = Literal["provision", "deprovision"]

# Whoever cancels has it taken away after it was made: also where it is not known whether it was,
# since the answer got lost. So what came first is done first.
_CLAIM = """
    SELECT task_id, tenant_id, subscription_id, kind, baggage, traceparent
    FROM billing.outbox task WHERE done_at IS NULL AND next_try_at <= now() AND NOT EXISTS (
        SELECT FROM billing.outbox earlier WHERE earlier.subscription_id = task.subscription_id
        AND earlier.task_id < task.task_id AND earlier.done_at IS NULL)
    ORDER BY task_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""

log = logging.getLogger("billing.outbox")


@dataclass(frozen=True)
class Task:
    """A task that this process alone holds."""

    task_id: int
    tenant_id: UUID
    subscription_id: UUID
    kind: Kind
    baggage: str
    traceparent: str


Do = Callable[[Connection, Task], Awaitable[None]]


async def put(conn: Connection, tenant: UUID, subscription: UUID, kind: Kind) -> None:
    """Queue a task, in the transaction of what it follows from; once a subscription and kind."""
    with tracing.send("billing.outbox") as traceparent:
        await conn.execute(
            "INSERT INTO billing.outbox (tenant_id, subscription_id, kind, baggage, traceparent)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (subscription_id, kind) DO NOTHING",
            [tenant, subscription, kind, baggage.current.get(), traceparent],
        )


class Outbox:
    """Works the tasks off for as long as `run` runs; several processes may."""

    def __init__(self, pool: Pool, do: Do, turn_s: float) -> None:
        self.pool = pool
        self.do = do
        self.turn_s = turn_s
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look for tasks now: one was queued."""
        self._awake.set()

    async def run(self) -> None:
        """Do tasks until cancelled."""
        while True:
            self._awake.clear()
            try:
                while await self._work():
                    pass
            except Unavailable as error:
                log.warning("unavailable", extra={"what": error.what, "reason": error.reason})
            except Exception:
                log.exception("looking for tasks failed")  # by an error of ours: look again
            with suppress(TimeoutError):
                async with asyncio.timeout(self.turn_s):
                    await self._awake.wait()

    async def _work(self) -> bool:
        """Do the oldest task that nobody holds; return whether there was one."""
        # The task's span ends after its transaction.
        with ExitStack() as span:
            async with connection(self.pool) as conn:
                with tracing.quiet():  # as long as there is no task it would be nobody's
                    found = await conn.execute(_CLAIM)
                    row = await found.fetchone()
                if row is None:
                    return False
                task = Task(**row)
                baggage.begin_job(task.baggage)
                span.callback(baggage.begin_job, "")
                span.enter_context(
                    tracing.process("billing.outbox", task.kind, task.traceparent, task.task_id)
                )
                await act_for(conn, task.tenant_id)
                await self._try(conn, task)
        return True

    async def _try(self, conn: Connection, task: Task) -> None:
        about = {"kind": task.kind, "subscription": str(task.subscription_id)}
        try:
            async with conn.transaction():
                await self.do(conn, task)
        except Exception as error:
            # Later, so that tasks behind this one come to their turn, whatever is wrong with it.
            await conn.execute(
                "UPDATE billing.outbox SET attempts = attempts + 1,"
                " next_try_at = now() + make_interval(secs => %s) WHERE task_id = %s",
                [self.turn_s, task.task_id],
            )
            is_away = isinstance(error, Unavailable)
            log.warning("put off", extra={**about, "reason": str(error)}, exc_info=not is_away)
            return
        await conn.execute(
            "UPDATE billing.outbox SET attempts = attempts + 1, done_at = now() WHERE task_id = %s",
            [task.task_id],
        )
        log.info("done", extra=about)
