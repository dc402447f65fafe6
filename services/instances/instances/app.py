"""The application: which route leads where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from shared import logs, problems, settings, tenants, tokens, tracing
from shared.http import Client
from shared.middleware import RequestLog
from shared.tenants import Caller, Requires

from instances import orders, page
from instances.login import Login
from instances.orders import Instance, Order, State
from instances.waits import Waits

logs.configure("instances")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the pool and the way to auth for as long as the application runs."""
    waits = Waits.from_environment()
    issuer = settings.text("AUTH_ISSUER")
    client_id, secret = settings.text("AUTH_CLIENT_ID"), settings.text("AUTH_CLIENT_SECRET")
    auth = Client("auth", settings.text("AUTH_URL"), waits.auth)
    app.state.verifier = tokens.Verifier(
        auth,
        waits.tokens,
        issuer=issuer,
        audience="instances",
        client_id=client_id,
        client_secret=secret,
    )
    app.state.login = Login(auth, issuer, settings.text("PAGE_URL"), (client_id, secret))
    app.state.pool = tenants.pool(waits.database, int(settings.number("POOL_SIZE", 5)))
    await app.state.pool.open()
    try:
        yield
    finally:
        await app.state.pool.close(timeout=waits.database.close_s)
        await auth.aclose()


app = FastAPI(title="instances", lifespan=lifespan, responses=problems.RESPONSES)
app.add_middleware(RequestLog)
app.add_middleware(tracing.Traced, routes=app.routes)
problems.install(app)
app.include_router(page.router)


@app.exception_handler(page.LoggedOutError)
async def log_in(request: Request, _: page.LoggedOutError) -> Response:
    """Send who opened the page without a token that is good to the login."""
    login: Login = request.app.state.login
    return login.begin()


Reader = Annotated[Caller, Depends(Requires("instances:read"))]
Writer = Annotated[Caller, Depends(Requires("instances:write"))]
Key = Annotated[str | None, Header(max_length=255, pattern=orders.PRINTABLE)]


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that the process serves; the stores are not asked, their absence is answered by 503."""
    return {"status": "ok"}


@app.post("/instances", status_code=202, response_model=Instance)
async def order_instance(
    order: Order, caller: Writer, response: Response, idempotency_key: Key = None
) -> dict[str, Any]:
    """Order an instance; the worker provisions it later."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        answer = await orders.place(conn, caller.tenant, caller.tier, order, idempotency_key)
    response.headers["Location"] = f"/instances/{answer['id']}"
    return answer


@app.get("/instances")
async def list_instances(
    caller: Reader,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> list[Instance]:
    """List the tenant's instances, newest first."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await orders.find_all(conn, state, limit)


@app.get("/instances/{instance_id}")
async def get_instance(instance_id: UUID, caller: Reader) -> Instance:
    """Show one instance."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await orders.find(conn, instance_id)


@app.delete("/instances/{instance_id}", status_code=202)
async def deprovision_instance(instance_id: UUID, caller: Writer) -> Instance:
    """Give an instance back; the worker removes it later."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        return await orders.give_back(conn, instance_id)
