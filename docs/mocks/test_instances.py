"""The provisioning API, its token verifier and its database mocked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import AsyncMock, MagicMock
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from instances import app as api
from instances import orders
from scripted import AsyncConnection
from shared import baggage, tenants
from shared.errors import Unavailable
from shared.tokens import Claims, InvalidToken

TENANT = uuid4()
BEARER = {"Authorization": "Bearer a-token"}
ORDER = {"name": "web", "size": "small"}
PLACED = "INSERT INTO instances.instances"
QUEUED = "INSERT INTO instances.jobs"
QUOTA = "AS live FROM instances.tiers"


def instance_row(**changes: Any) -> dict[str, Any]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        "id": uuid4(),
        "name": "web",
        "size": "small",
        "state": "requested",
        "failure_reason": None,
        "attempts": 0,
        "created_at": now,
        "updated_at": now,
        **changes,
    }


def claims(**changes: Any) -> Claims:
    said = {
        "subject": "ann",
        "client_id": "client-1",
        "scopes": frozenset({"instances:read", "instances:write"}),
        "tenant": str(TENANT),
        "tier": "free",
        "expires_at": 0,
        "token": "a-token",
        **changes,
    }
    return Claims(**said)  # type: ignore[arg-type]


@pytest.fixture
def conn(mocker: Any) -> AsyncConnection:
    """The database, in which the quota has room."""
    conn = AsyncConnection()
    conn.on(QUOTA, {"max_live": 2, "live": 0})
    mocker.patch("shared.tenants.database.connection", conn.handed_out)
    return conn


@pytest.fixture
def verifier() -> AsyncMock:
    verifier = AsyncMock()
    verifier.verify.return_value = claims()
    return verifier


@pytest.fixture
async def http(conn: AsyncConnection, verifier: AsyncMock) -> Any:
    api.app.state.verifier = verifier
    api.app.state.pool = MagicMock()
    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://instances:8000", headers=BEARER
    ) as client:
        yield client


def problem(reply: httpx.Response) -> tuple[int, str]:
    told = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    assert told["status"] == reply.status_code
    assert told["type"] == f"urn:problem:{told['code']}"
    return reply.status_code, told["code"]


# Orders


async def test_order_should_be_accepted_and_queued_when_the_quota_allows(
    http: Any, conn: Any
) -> None:
    row = instance_row()
    conn.on(PLACED, row)
    reply = await http.post("/instances", json=ORDER, headers={"baggage": "nomock.test=x"})
    assert reply.status_code == 202
    assert reply.headers["location"] == f"/instances/{row['id']}"
    assert reply.json()["state"] == "requested"
    assert conn.sent("set_config('app.tenant'") == [[str(TENANT)]]
    assert conn.sent("INSERT INTO instances.tenants") == [[TENANT, "free"]]
    assert conn.sent(PLACED) == [[TENANT, "web", "small"]]
    assert conn.sent(QUEUED) == [[str(row["id"]), "provision", "nomock.test=x", ""]]
    assert conn.transactions == 1


async def test_tenant_should_be_set_first_when_a_transaction_begins(http: Any, conn: Any) -> None:
    conn.on(PLACED, instance_row())
    await http.post("/instances", json=ORDER)
    statements = [statement for statement, _ in conn.calls]
    assert "set_config" in statements[0]
    # The tenant is locked before anything is looked at.
    order = [statements.index(each) for each in statements if "tenants" in each or QUOTA in each]
    assert order == sorted(order)


@pytest.mark.parametrize(("live", "status"), [(0, 202), (1, 202), (2, 409), (3, 409)])
async def test_order_should_be_refused_when_the_quota_of_the_tier_is_used_up(
    http: Any, conn: Any, live: int, status: int
) -> None:
    conn.on(PLACED, instance_row())
    conn.on(QUOTA, {"max_live": 2, "live": live})
    reply = await http.post("/instances", json=ORDER)
    assert reply.status_code == status
    if status == 409:
        assert problem(reply) == (409, "quota_exceeded")
        assert reply.json()["quota"] == 2
        assert conn.sent(PLACED) == conn.sent(QUEUED) == []


async def test_order_should_be_refused_when_the_tier_is_unknown(http: Any, conn: Any) -> None:
    conn.on(QUOTA)
    assert problem(await http.post("/instances", json=ORDER)) == (409, "quota_exceeded")


@pytest.mark.parametrize(
    ("constraint", "status", "code"),
    [
        ("instances_size_fkey", 422, "unknown_size"),
        ("instances_live_name", 409, "name_taken"),
        ("tenants_tenant_id_fkey", 403, "unknown_tenant"),
        ("another", 500, "internal_error"),
    ],
)
async def test_order_should_be_refused_when_the_database_does(
    http: Any, conn: Any, constraint: str, status: int, code: str, mocker: Any
) -> None:
    class Refused(psycopg.errors.IntegrityError):
        diag = MagicMock(constraint_name=constraint)

    conn.fails(PLACED, Refused())
    assert problem(await http.post("/instances", json=ORDER)) == (status, code)
    assert conn.sent(QUEUED) == []


@pytest.mark.parametrize(
    "body",
    [
        {"size": "small"},
        {"name": "", "size": "small"},
        {"name": "a\x00b", "size": "small"},
        {"name": "a\nb", "size": "small"},
        {"name": "x" * 201, "size": "small"},
        {"name": 7, "size": "small"},
        {"name": "web", "size": "x" * 51},
        {"name": "web", "size": "small", "tier": "enterprise"},
        [],
    ],
)
async def test_order_should_be_refused_when_it_is_malformed(
    http: Any, conn: Any, body: Any
) -> None:
    reply = await http.post("/instances", json=body)
    assert problem(reply) == (422, "invalid_request")
    assert reply.json()["errors"]
    assert conn.calls == []


# Idempotency keys


@pytest.fixture
def keyed() -> dict[str, str]:
    return {"Idempotency-Key": "a-key"}


async def test_key_should_be_kept_with_the_answer_when_the_order_is_new(
    http: Any, conn: Any, keyed: dict[str, str]
) -> None:
    row = instance_row()
    conn.on(PLACED, row)
    answer = (await http.post("/instances", json=ORDER, headers=keyed)).json()
    ((tenant, key, digest, instance_id, kept),) = conn.sent("INTO instances.idempotency_keys")
    assert (tenant, key, instance_id) == (TENANT, "a-key", str(row["id"]))
    assert digest == orders.Order(**ORDER).digest()
    assert answer["id"] in kept
    assert conn.sent("DELETE FROM instances.idempotency_keys") == [[TENANT, "24 hours"]]


async def test_order_should_be_the_first_one_when_its_key_is_repeated(
    http: Any, conn: Any, keyed: dict[str, str]
) -> None:
    first = orders.Instance(**instance_row()).model_dump(mode="json")
    kept = {"request_hash": orders.Order(**ORDER).digest(), "answer": first}
    conn.on("SELECT request_hash, answer", kept)
    reply = await http.post("/instances", json=ORDER, headers=keyed)
    assert (reply.status_code, reply.json()) == (202, first)
    assert conn.sent(PLACED) == conn.sent(QUEUED) == []


@pytest.mark.parametrize("other", [{**ORDER, "size": "large"}, {**ORDER, "name": "db"}])
async def test_order_should_be_refused_when_its_key_came_with_another_order(
    http: Any, conn: Any, keyed: dict[str, str], other: dict[str, str]
) -> None:
    kept = {"request_hash": orders.Order(**other).digest(), "answer": {"id": "x"}}
    conn.on("SELECT request_hash, answer", kept)
    reply = await http.post("/instances", json=ORDER, headers=keyed)
    assert problem(reply) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_order_should_be_refused_when_its_key_is_malformed(http: Any, key: str) -> None:
    reply = await http.post("/instances", json=ORDER, headers={"Idempotency-Key": key})
    assert problem(reply) == (422, "invalid_request")


# Reading and giving back


async def test_list_should_show_what_the_database_has_when_it_is_asked_for(
    http: Any, conn: Any
) -> None:
    conn.on("ORDER BY created_at DESC", instance_row(name="new"), instance_row(name="old"))
    reply = await http.get("/instances", params={"state": "running", "limit": 5})
    assert [each["name"] for each in reply.json()] == ["new", "old"]
    assert conn.sent("ORDER BY created_at DESC") == [{"state": "running", "limit": 5}]


@pytest.mark.parametrize("params", [{"state": "lost"}, {"limit": 0}, {"limit": 201}])
async def test_list_should_be_refused_when_a_filter_is_not_valid(
    http: Any, params: dict[str, Any]
) -> None:
    assert problem(await http.get("/instances", params=params)) == (422, "invalid_request")


async def test_instance_should_be_shown_when_it_is_the_tenants(http: Any, conn: Any) -> None:
    row = instance_row(state="running")
    conn.on("WHERE instance_id = %s", row)
    assert (await http.get(f"/instances/{row['id']}")).json()["state"] == "running"
    assert conn.sent("WHERE instance_id = %s") == [[row["id"]]]


async def test_instance_should_not_exist_when_the_tenant_has_none(http: Any) -> None:
    assert problem(await http.get(f"/instances/{uuid4()}")) == (404, "not_found")
    assert problem(await http.delete(f"/instances/{uuid4()}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("state", "jobs"), [("deprovisioning", ["deprovision"]), ("deprovisioned", [])]
)
async def test_removal_should_be_queued_when_there_is_something_to_remove(
    http: Any, conn: Any, state: str, jobs: list[str]
) -> None:
    row = instance_row(state=state)
    conn.on("UPDATE instances.instances", row)
    reply = await http.delete(f"/instances/{row['id']}")
    assert (reply.status_code, reply.json()["state"]) == (202, state)
    assert [kind for _, kind, _, _ in conn.sent(QUEUED)] == jobs


async def test_giving_back_should_change_nothing_when_it_is_repeated(http: Any, conn: Any) -> None:
    row = instance_row(state="deprovisioned")
    conn.on("SELECT instance_id AS id", row)
    reply = await http.delete(f"/instances/{row['id']}")
    assert (reply.status_code, reply.json()["state"]) == (202, "deprovisioned")
    assert conn.sent(QUEUED) == []


# Who calls


async def test_caller_should_be_refused_when_there_is_no_token(http: Any) -> None:
    for header in ("", "Basic x", "Bearer "):
        reply = await http.get("/instances", headers={"Authorization": header})
        assert problem(reply) == (401, "invalid_token")
        assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_caller_should_be_refused_when_the_token_is_not_valid(
    http: Any, verifier: AsyncMock
) -> None:
    verifier.verify.side_effect = InvalidToken("the token is revoked or expired")
    assert problem(await http.get("/instances")) == (401, "invalid_token")


async def test_caller_should_be_refused_when_the_scope_does_not_reach(
    http: Any, verifier: AsyncMock, conn: Any
) -> None:
    verifier.verify.return_value = claims(scopes=frozenset({"instances:read"}))
    reply = await http.post("/instances", json=ORDER)
    assert problem(reply) == (403, "insufficient_scope")
    assert 'scope="instances:write"' in reply.headers["www-authenticate"]
    assert conn.calls == []


@pytest.mark.parametrize("tenant", ["", "no uuid"])
async def test_caller_should_be_refused_when_the_token_is_of_no_tenant(
    http: Any, verifier: AsyncMock, tenant: str
) -> None:
    verifier.verify.return_value = claims(tenant=tenant)
    assert problem(await http.get("/instances")) == (403, "unknown_tenant")


# Errors


async def test_caller_should_be_told_to_come_back_when_something_is_away(
    http: Any, conn: Any
) -> None:
    conn.fails("set_config", Unavailable("the database", "10.0.0.7 refused"))
    reply = await http.get("/instances")
    assert problem(reply) == (503, "unavailable")
    assert reply.headers["retry-after"] == "1"
    assert "10.0.0.7" not in reply.text


async def test_caller_should_get_a_problem_when_the_code_is_at_fault(http: Any, conn: Any) -> None:
    conn.fails("set_config", RuntimeError("secret"))
    reply = await http.get("/instances")
    assert problem(reply) == (500, "internal_error")
    assert "secret" not in reply.text


async def test_caller_should_get_a_problem_when_the_path_or_method_is_unknown(http: Any) -> None:
    assert problem(await http.get("/nowhere")) == (404, "not_found")
    assert problem(await http.put("/instances")) == (405, "method_not_allowed")


async def test_health_should_be_ok_when_it_is_asked_for(http: Any) -> None:
    assert (await http.get("/health")).json() == {"status": "ok"}


# The pool


async def test_tenant_should_be_set_for_the_transaction_when_it_begins(conn: Any) -> None:
    tenant = UUID(int=7)
    async with tenants.transaction(MagicMock(), tenant) as handed:
        assert handed is conn
    ((statement, parameters),) = conn.calls
    assert "set_config('app.tenant', %s, true)" in statement
    assert parameters == [str(tenant)]


async def test_pool_should_have_the_waits_when_it_is_made(mocker: Any) -> None:
    from instances.waits import Waits

    made = mocker.patch("shared.tenants.database.pool")
    waits = Waits.from_environment()
    tenants.pool(waits.database, 5)
    assert made.call_args.kwargs["max_size"] == 5
    assert "lock_timeout=3375" in made.call_args.kwargs["options"]
    assert "statement_timeout=4050" in made.call_args.kwargs["options"]
    assert waits.database.connection_s == pytest.approx(0.4 * 4.5)
    assert waits.database.connection_s < waits.database.lock_s < waits.database.statement_s
    assert waits.auth.try_s == 2.5


async def test_stores_should_be_opened_and_closed_when_the_api_starts_and_stops(
    mocker: Any,
) -> None:
    pool = AsyncMock()
    mocker.patch("instances.app.tenants.pool", return_value=pool)
    closed = mocker.patch("instances.app.Client.aclose")
    async with api.lifespan(api.app):
        pool.open.assert_awaited_once()
        verifier = api.app.state.verifier
        assert verifier.credentials == ("instances", "instances-client-secret")
    pool.close.assert_awaited_once()
    closed.assert_awaited_once()


async def test_job_should_carry_the_baggage_when_the_request_has_one(conn: Any) -> None:
    token = baggage.current.set("nomock.test=x")
    try:
        await orders._queue(conn, "an-id", "provision")
    finally:
        baggage.current.reset(token)
    assert conn.sent(QUEUED) == [["an-id", "provision", "nomock.test=x", ""]]
