"""Across services: what a user does from sign-up to the end, and what holds between services."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
from helpers.eventually import eventually
from helpers.mcp import PATH, RawSession, error_of, text_of
from helpers.oauth import AuthClient, Tenant, User
from helpers.waits import SOON_S, Waits

from nomock import Faults, Postgres, Stack, recovers_within


def state_of(agent: Any, instance_id: str) -> str:
    state: str = agent.get("get_instance", instance_id=instance_id)["state"]
    return state


def reach(agent: Any, instance_id: str, state: str) -> None:
    """Wait until an instance has a state."""
    eventually(
        lambda: state_of(agent, instance_id) == state,
        within_s=SOON_S,
        reason=f"instance {instance_id} should become {state}",
    )


def remove_client(postgres: Postgres, name: str) -> None:
    """Remove a client that registered itself; the SDK does not keep what RFC 7592 needs."""
    with postgres.connect() as conn:
        conn.execute("DELETE FROM auth.clients WHERE client_name = %s", [name])


def test_journey_should_end_clean_when_a_user_registers_orders_and_deprovisions_by_an_agent(
    connect_agent: Callable[..., Any],
    postgres: Postgres,
    make_client: Callable[..., AuthClient],
    make_user: Callable[..., User],
    unique_name: Callable[[], str],
) -> None:
    client = make_client()
    token = client.tokens(make_user(), resource="mcp")["access_token"]

    with connect_agent(token) as agent:
        ordered = agent.get("order_instance", name=unique_name(), size="small")
        reach(agent, ordered["id"], "running")
        assert [each["id"] for each in agent.get("list_instances")] == [ordered["id"]]

        agent.get("deprovision_instance", instance_id=ordered["id"])
        reach(agent, ordered["id"], "deprovisioned")

    with postgres.connect() as conn:
        left = conn.execute(
            "SELECT count(*) FROM instances.resources WHERE instance_id = %s", [ordered["id"]]
        ).fetchone()
    assert left == (0,)


def test_agent_should_log_in_by_itself_when_it_starts_with_nothing_but_the_address(
    stack: Stack,
    postgres: Postgres,
    undo: ExitStack,
    tenant: Tenant,
    unique_name: Callable[[], str],
) -> None:
    from helpers.agent import log_in

    name = unique_name()
    undo.callback(remove_client, postgres, name)

    with log_in(stack, tenant.user, name) as agent:
        ordered = agent.get("order_instance", name=unique_name(), size="small")

    listed = stack["instances"].http.get("/instances", headers=tenant.headers).json()
    assert [each["id"] for each in listed] == [ordered["id"]]


def test_token_should_open_instances_only_by_exchange_when_it_was_made_for_the_agent(
    stack: Stack, connect_agent: Callable[..., Any], mcp_token: str
) -> None:
    bearer = {"Authorization": f"Bearer {mcp_token}"}

    assert stack["instances"].http.get("/instances", headers=bearer).status_code == 401
    with connect_agent(mcp_token) as agent:
        assert agent.get("list_instances") == []


def test_agent_should_go_on_when_the_token_that_was_exchanged_for_it_is_revoked(
    postgres: Postgres, tenant: Tenant, mcp_client: Any
) -> None:
    mcp_client.get("list_instances")
    with postgres.connect() as conn:
        revoked = conn.execute(
            "UPDATE auth.tokens SET revoked_at = now() WHERE client_id = 'mcp' AND grant_id IN"
            " (SELECT grant_id FROM auth.grants WHERE user_id = %s)",
            [tenant.user.user_id],
        )
        assert revoked.rowcount == 1

    assert mcp_client.get("list_instances") == []


def test_instance_should_be_the_same_when_it_is_seen_through_the_api_and_through_an_agent(
    stack: Stack,
    connect_agent: Callable[..., Any],
    tenant: Tenant,
    mcp_token: str,
    unique_name: Callable[[], str],
) -> None:
    with connect_agent(mcp_token) as agent:
        ordered = agent.get("order_instance", name=unique_name(), size="small")
        reach(agent, ordered["id"], "running")
        seen = (
            stack["instances"]
            .http.get(f"/instances/{ordered['id']}", headers=tenant.headers)
            .json()
        )
        found = agent.get("get_instance", instance_id=ordered["id"])

    assert {key: seen[key] for key in found} == found


def test_quota_should_be_one_when_orders_come_by_the_api_and_by_an_agent(
    stack: Stack,
    connect_agent: Callable[..., Any],
    tenant: Tenant,
    mcp_token: str,
    unique_name: Callable[[], str],
) -> None:
    headers = tenant.headers | {"Idempotency-Key": str(uuid.uuid4())}
    order = {"name": unique_name(), "size": "small"}
    assert stack["instances"].http.post("/instances", json=order, headers=headers).is_success
    with connect_agent(mcp_token) as agent:
        agent.get("order_instance", name=unique_name(), size="small")

        third = agent.call("order_instance", name=unique_name(), size="small")

    assert third.is_error
    assert "409" in text_of(third)


def test_quota_should_have_room_again_when_an_instance_was_deprovisioned(
    connect_agent: Callable[..., Any], mcp_token: str, unique_name: Callable[[], str]
) -> None:
    with connect_agent(mcp_token) as agent:
        first, _ = (agent.get("order_instance", name=unique_name(), size="small") for _ in range(2))
        reach(agent, first["id"], "running")

        agent.get("deprovision_instance", instance_id=first["id"])
        reach(agent, first["id"], "deprovisioned")

        assert agent.get("order_instance", name=unique_name(), size="small")["id"] != first["id"]


def test_order_should_be_seen_as_failed_when_the_worker_cannot_make_it(
    connect_agent: Callable[..., Any], mcp_token: str, unique_name: Callable[[], str]
) -> None:
    with connect_agent(mcp_token) as agent:
        ordered = agent.get("order_instance", name=unique_name(), size="broken")

        reach(agent, ordered["id"], "failed")


def is_logged(service: Any, text: str) -> bool:
    return text in service.logs()


def test_test_should_be_named_in_the_logs_of_both_services_when_an_agent_calls_a_tool(
    stack: Stack, mcp_client: Any, request: pytest.FixtureRequest
) -> None:
    mcp_client.get("list_instances")

    member = f'"nomock.test": "{request.node.nodeid}"'
    for service in (stack["mcp"], stack["instances"]):
        eventually(
            partial(is_logged, service, member),
            within_s=SOON_S,
            reason=f"{service.name} should log a request with the id of the test",
        )


@contextmanager
def stopped(service: Any) -> Iterator[None]:
    """Take a service away for the length of a block."""
    service.stop()
    try:
        yield
    finally:
        service.start()


@pytest.mark.serial("stack")
def test_tool_should_say_that_instances_is_away_when_that_is_stopped(
    stack: Stack, mcp_client: Any, waits: Waits
) -> None:
    with stopped(stack["instances"]):
        started = time.monotonic()
        result = mcp_client.call("list_instances")
        took_s = time.monotonic() - started

    assert result.is_error
    assert "instances is unavailable" in text_of(result)
    assert took_s < waits.answer_of_agent_s
    eventually(
        lambda: not mcp_client.call("list_instances").is_error,
        within_s=waits.back_s,
        reason="the same session should work again when instances is back",
    )


def test_tool_should_give_up_in_time_when_instances_is_slow(
    faults: Faults, connect_agent: Callable[..., Any], mcp_token: str, waits: Waits
) -> None:
    # Nobody else breaks what the session needs.
    with faults.none("mcp->instances"), connect_agent(mcp_token) as agent:
        agent.get("list_instances")  # so that the token is there, and only the call is slow
        too_late_ms = round(1500 * waits.instances_patience_s)
        with faults.latency("mcp->instances", latency_ms=too_late_ms):
            started = time.monotonic()
            result = agent.call("list_instances")
            took_s = time.monotonic() - started

        assert result.is_error
        said = f"instances is unavailable: no answer within {waits.instances_patience_s:g} s"
        assert said in text_of(result)
        assert took_s < waits.answer_of_agent_s
        # The same session, now that the edge is fast.
        recovers_within(lambda: not agent.call("list_instances").is_error, waits.back_s)


@pytest.mark.serial("stack")
def test_door_should_stay_closed_when_auth_is_stopped(
    stack: Stack, mcp_token: str, waits: Waits
) -> None:
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()

    with stopped(stack["auth"]):
        reply = caller.request("ping")

    assert reply.status_code == 503
    assert reply.json()["error"] == "temporarily_unavailable"
    assert int(reply.headers["retry-after"]) >= 1
    eventually(
        lambda: caller.request("ping").status_code == 200,
        within_s=waits.back_s,
        reason="the same session should work again when auth is back",
    )


@pytest.mark.serial("stack")
def test_session_should_be_gone_when_the_server_was_restarted(stack: Stack, mcp_token: str) -> None:
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()

    stack["mcp"].restart()

    # The port is another one now.
    caller.http = stack["mcp"].http
    assert error_of(caller.request("ping"))[0] == 404
    assert RawSession(stack["mcp"].http, mcp_token).open()["serverInfo"]["name"] == "nomock-mcp"


@pytest.mark.serial("stack")
def test_server_should_end_by_itself_when_an_event_stream_is_open(
    stack: Stack, mcp_token: str
) -> None:
    service, goodbye = stack["mcp"], "Finished server process"
    said = service.logs().count(goodbye)
    caller = RawSession(service.http, mcp_token)
    caller.open()

    headers = caller.headers | {"Accept": "text/event-stream"}
    with caller.http.stream("GET", PATH, headers=headers) as stream:
        assert stream.status_code == 200
        # Who has not ended after its grace period is killed, and says no goodbye.
        with stopped(service):
            assert service.logs().count(goodbye) == said + 1
