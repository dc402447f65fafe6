"""The application: which route leads where, and what runs beside the requests."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from shared import logs, problems, settings, tenants, tokens, tracing
from shared.database import connection
from shared.http import Client
from shared.middleware import RequestLog
from shared.problems import Problem
from shared.tenants import Caller, Requires

from billing import events, signatures, subscriptions
from billing.outbox import Outbox
from billing.provisioning import Provisioning
from billing.subscriptions import Checkout, Invoices, Plan, Subscription
from billing.waits import Waits

# What the specification advises for a webhook, and some more.
LARGEST_EVENT = 64 * 1024

logs.configure("billing")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the pools and the ways to other services, and work the outbox off."""
    waits = Waits.from_environment()
    client_id, secret = settings.text("AUTH_CLIENT_ID"), settings.text("AUTH_CLIENT_SECRET")
    auth = Client("auth", settings.text("AUTH_URL"), waits.auth)
    instances = Client("instances", settings.text("INSTANCES_URL"), waits.instances)
    app.state.keys = signatures.secrets_of(settings.text("PAYMENTS_WEBHOOK_SECRETS"))
    app.state.tolerance_s = waits.tolerance_s
    app.state.verifier = tokens.Verifier(
        auth,
        waits.tokens,
        issuer=settings.text("AUTH_ISSUER"),
        audience="billing",
        client_id=client_id,
        client_secret=secret,
    )
    app.state.pool = tenants.pool(waits.database, max_size=5)
    # A pool of its own: its transactions last as long as the calls within them.
    for_tasks = tenants.pool(waits.task, max_size=1)
    provisioning = Provisioning(auth, instances, (client_id, secret))
    app.state.outbox = Outbox(for_tasks, provisioning.do, waits.turn_s)
    await app.state.pool.open()
    await for_tasks.open()
    working = asyncio.create_task(app.state.outbox.run())
    try:
        yield
    finally:
        # In the middle of a task, too: that one is rolled back, and done after the next start.
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await for_tasks.close(timeout=waits.database.close_s)
        await app.state.pool.close(timeout=waits.database.close_s)
        await instances.aclose()
        await auth.aclose()


app = FastAPI(title="billing", lifespan=lifespan, responses=problems.RESPONSES)
app.add_middleware(RequestLog)
app.add_middleware(tracing.Traced, routes=app.routes)
problems.install(app)

Reader = Annotated[Caller, Depends(Requires("instances:read"))]
Writer = Annotated[Caller, Depends(Requires("instances:write"))]


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that the process serves; the stores are not asked, their absence is answered by 503."""
    return {"status": "ok"}


@app.get("/plans")
async def list_plans() -> list[Plan]:
    """List what can be subscribed to; for everybody."""
    async with connection(app.state.pool) as conn:
        return await subscriptions.plans(conn)


@app.post("/subscriptions", status_code=201)
async def check_out(asked: Checkout, caller: Writer) -> Subscription:
    """Subscribe to a plan; its instance is ordered when the provider says that it is paid."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await subscriptions.check_out(conn, caller.tenant, asked)


@app.get("/subscriptions")
async def list_subscriptions(caller: Reader) -> list[Subscription]:
    """List the tenant's subscriptions, newest first."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await subscriptions.find_all(conn)


@app.get("/subscriptions/{subscription_id}")
async def get_subscription(subscription_id: UUID, caller: Reader) -> Subscription:
    """Show one subscription."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await subscriptions.find(conn, subscription_id)


@app.get("/invoices")
async def list_invoices(caller: Reader) -> Invoices:
    """List what the tenant has paid and got back, and what that adds up to."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await subscriptions.invoices(conn)


@app.post("/webhooks/payments")
async def receive_event(request: Request) -> dict[str, events.Outcome]:
    """Take an event of the payment provider, who sends it again until it is answered 200."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_EVENT:
            raise Problem(413, "too_large", f"an event has {LARGEST_EVENT} bytes at the most")
    state = request.app.state
    event_id = signatures.verify(request.headers, body, state.keys, state.tolerance_s, time.time())
    outcome = await events.take(state.pool, event_id, body)
    state.outbox.wake()
    return {"outcome": outcome}
